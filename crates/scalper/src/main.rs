//! `scalper`: operates a Silent Scalper stack from a terminal.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

mod contract;
mod way_back;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use outbound::AddressPolicy;
use runtime::Host;
use scalper::access;
use scalper::api_gateway::ApiGateway;
use scalper::arguments::{Arguments, Command, PartnerCommand, ReadCommand, RedriveArguments, TailArguments};
use scalper::audited::{Audited, Auditor};
use scalper::config::Config;
use scalper::doctor::{Doctor, Known};
use scalper::error::CommandError;
use scalper::feeds;
use scalper::generate;
use scalper::names::Stack;
use scalper::partner::Operator;
use scalper::reading::{Answer, FileView, Places, RejectedRecords, StackView, WARNING, save, tail_heading};
use scalper::redrive::LetterView;
use scalper::report::Style;
use scalper::secret;
use store::aws::{
    AuditTable, Connection, ContractsBucket, Home, InboxBucket, InboxBuckets, InboxPolicy, LedgerTable,
    LetterQueues, PartnersTable, QuarantineBucket, QuarantineWriter, SdkConfig, SecurityTokens,
    SourceBuckets, StackParts, StackQueues,
};

store::resources! {
    /// What reading commands reach.
    struct Resources {
        inbox: InboxBucket,
        contracts: ContractsBucket,
        quarantine: QuarantineBucket,
        ledger: LedgerTable,
        partners: PartnersTable,
        queues: StackQueues,
        audit: AuditTable,
        letters: LetterQueues,
        files: InboxBuckets,
        receipts: QuarantineWriter,
        sources: SourceBuckets,
    }
}

store::resources! {
    /// What an act is noted with: the audit trail, and who calls.
    struct AuditTrail {
        audit: AuditTable,
        tokens: SecurityTokens,
    }
}

store::resources! {
    /// Who uploads by S3: as the partners table remembers it, and as the bucket policy has it.
    struct Uploaders {
        partners: PartnersTable,
        policy: InboxPolicy,
    }
}

impl Resources {
    fn connect(connection: &Connection, stack: &Stack, places: &Places) -> Self {
        let (s3, dynamodb) = (connection.s3(Some(&places.home.account)), connection.dynamodb());
        let inbox = InboxBucket::new(&s3, &places.inbox);
        let files = InboxBuckets::new(&s3, std::slice::from_ref(&places.inbox));
        Self {
            receipts: QuarantineWriter::new(&s3, &places.quarantine, &files),
            files,
            // Other buckets may be other accounts'.
            sources: SourceBuckets::new(&connection.s3(None), &inbox),
            inbox,
            contracts: ContractsBucket::new(&s3, &places.contracts(stack)),
            quarantine: QuarantineBucket::new(&s3, &places.quarantine),
            ledger: LedgerTable::new(&dynamodb, &stack.ledger()),
            partners: PartnersTable::new(&dynamodb, &stack.table()),
            queues: StackQueues::new(&connection.sqs(), stack.as_str()),
            audit: AuditTable::new(&dynamodb, &stack.audit()),
            letters: LetterQueues::new(&connection.sqs(), stack.as_str()),
        }
    }
}

/// Returns what notes the acts of the caller.
fn auditor(connection: &Connection, stack: &Stack) -> Auditor<AuditTrail> {
    let audit = AuditTable::new(&connection.dynamodb(), &stack.audit());
    Auditor::new(AuditTrail { audit, tokens: SecurityTokens::new(connection) }, Host::system())
}

impl Uploaders {
    fn connect(connection: &Connection, stack: &Stack) -> Self {
        Self {
            partners: PartnersTable::new(&connection.dynamodb(), &stack.table()),
            policy: InboxPolicy::new(connection, stack.as_str()),
        }
    }
}

/// Pause between two rounds of `tail`.
const PAUSE: Duration = Duration::from_secs(2);

/// Pause between two looks at the ledger for files that were sent.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Returns the columns of the terminal that standard output is.
fn terminal_columns() -> Option<usize> {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// How answers are written.
#[derive(Clone, Copy)]
struct Manner {
    json: bool,
    style: Style,
}

impl Manner {
    /// Writes an answer. A reader that has gone away needs none.
    fn write(self, json: impl FnOnce() -> String, text: impl FnOnce(Style) -> String) {
        write(&if self.json { json() + "\n" } else { text(self.style) }).ok();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let config = match Config::read(&arguments) {
        Ok(config) => config,
        Err(failure) => return report(json, None, &failure),
    };
    let stack = config.stack.clone();
    let examines = matches!(arguments.command, Command::Doctor);
    match Box::pin(run(arguments, config)).await {
        Ok(code) => code,
        // For `doctor`, 1 means that the stack has a problem. A check that could not begin found none.
        Err(failure) if examines && failure.exit_code() == 1 => {
            report(json, Some(&stack), &failure);
            ExitCode::from(2)
        }
        Err(failure) => report(json, Some(&stack), &failure),
    }
}

/// Writes a failure to standard error and returns its exit code.
fn report(json: bool, stack: Option<&Stack>, failure: &CommandError) -> ExitCode {
    let text = if json {
        failure.to_json(stack).to_string()
    } else {
        format!("scalper: {}", failure.message(stack))
    };
    // A terminal that has gone away still gets the exit code.
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::from(failure.exit_code())
}

async fn run(arguments: Arguments, config: Config) -> Result<ExitCode, CommandError> {
    let Config { stack, region, colours, columns } = config;
    let style = Style::of_output(std::io::stdout().is_terminal(), colours, columns, terminal_columns());
    let manner = Manner { json: arguments.json, style };
    let command = match arguments.command {
        Command::Generate(command) => {
            generate::run(&command, &mut std::io::stdout())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Contract(command) => return contract::run(command, stack, region, manner).await,
        command => command,
    };
    let sdk = access::connect(region).await?;
    match command {
        Command::Partner(command) => partner(&sdk, stack, command, manner).await,
        Command::Doctor => doctor(&sdk, stack, manner).await,
        Command::Ack(arguments) => {
            let auditor = auditor(&Connection::new(&sdk), &stack);
            let report = Box::pin(view(&sdk, stack).await?.acknowledge(&arguments, &auditor)).await?;
            manner.write(|| report.to_json(), |style| report.to_text(style));
            Ok(ExitCode::SUCCESS)
        }
        Command::Redrive(arguments) => redrive(&sdk, stack, &arguments, manner).await,
        Command::Replay(arguments) => way_back::replay(&sdk, stack, &arguments, manner).await,
        Command::Retract(arguments) => {
            let auditor = auditor(&Connection::new(&sdk), &stack);
            let report = Box::pin(view(&sdk, stack).await?.retract(&arguments, &auditor)).await?;
            manner.write(|| report.to_json(), |style| report.to_text(style));
            Ok(ExitCode::SUCCESS)
        }
        Command::Backfill(arguments) => way_back::backfill(&sdk, stack, &arguments, manner).await,
        Command::Hold(arguments) => {
            let auditor = auditor(&Connection::new(&sdk), &stack);
            let audited = Box::pin(view(&sdk, stack).await?.hold_feed(&arguments, &auditor)).await?;
            manner.write(|| audited.report.to_json(), |style| audited.report.to_text(style));
            audited.noted.map(|()| ExitCode::SUCCESS)
        }
        Command::Release(arguments) => way_back::release(&sdk, stack, &arguments, manner).await,
        Command::Read(command) => read(&sdk, stack, command, manner).await,
        Command::Contract(_) | Command::Generate(_) => Ok(ExitCode::SUCCESS),
    }
}

async fn partner(
    sdk: &SdkConfig,
    stack: Stack,
    command: PartnerCommand,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let connection = Connection::new(sdk);
    if let Some(words) = command.feeds() {
        let places = places(&connection, &stack).await?;
        let name = places.contracts(&stack);
        let contracts = ContractsBucket::new(&connection.s3(Some(&places.home.account)), &name);
        feeds::check(&contracts, words, &name).await?;
    }
    let operator = Operator {
        partners: PartnersTable::new(&connection.dynamodb(), &stack.table()),
        gateway: ApiGateway::new(sdk, stack.api()),
        uploads: Uploaders::connect(&connection, &stack),
        auditor: auditor(&connection, &stack),
        stack,
        now_ms: Host::system().now(),
        random: secret::system(),
        policy: if sdk.endpoint_url().is_some() { AddressPolicy::Loopback } else { AddressPolicy::Public },
    };
    let spelled = operator.stack.clone();
    let Audited { report, noted } = Box::pin(operator.run(command)).await?;
    let text =
        if manner.json { report.to_json() + "\n" } else { spelled.spell(&report.to_text(manner.style)) };
    match write(&text) {
        Err(_) if report.has_secret() => Err(CommandError::NotShown),
        _ => noted.map(|()| ExitCode::SUCCESS),
    }
}

async fn redrive(
    sdk: &SdkConfig,
    stack: Stack,
    arguments: &RedriveArguments,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let auditor = auditor(&Connection::new(sdk), &stack);
    let view = view(sdk, stack).await?;
    // A reader that has gone away needs no answer.
    let emit = |letter: &LetterView| {
        if !manner.json {
            write(&letter.to_text(manner.style)).ok();
        }
    };
    let report = Box::pin(view.redrive(arguments, &auditor, emit)).await?;
    manner.write(|| report.to_json(), |style| report.summary(style));
    Ok(ExitCode::SUCCESS)
}

/// Asks on a terminal. Where there is none, nobody answers.
fn confirmed(question: &str) -> bool {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || write!(output, "{question}").and_then(|()| output.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    input.read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

async fn doctor(sdk: &SdkConfig, stack: Stack, manner: Manner) -> Result<ExitCode, CommandError> {
    let connection = Connection::new(sdk);
    let home = Home::find(&connection, &stack.ledger()).await.map_err(CommandError::NotChecked)?;
    let home = home.ok_or_else(|| CommandError::NoSuchStack { stack: stack.as_str().to_owned() })?;
    let places = Places::new(&stack, home);
    let doctor = Doctor {
        store: Resources::connect(&connection, &stack, &places),
        queues: StackQueues::new(&connection.sqs(), stack.as_str()),
        checkup: StackParts::new(&connection, stack.as_str(), &places.home),
        uploads: Uploaders::connect(&connection, &stack),
        gateway: ApiGateway::new(sdk, stack.api()),
        known: Known { stack, places, now_ms: Host::system().now() },
    };
    let diagnosis = doctor.examine().await;
    manner.write(|| diagnosis.to_json(), |style| diagnosis.to_text(style));
    Ok(ExitCode::from(diagnosis.exit_code()))
}

async fn read(
    sdk: &SdkConfig,
    stack: Stack,
    command: ReadCommand,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let view = view(sdk, stack).await?;
    let answer = view.run(command).await?;
    match &answer {
        Answer::RejectedRecords(_) if manner.json => return Err(CommandError::RecordsAreNoJson),
        Answer::RejectedRecords(records) => give(&view, records).await?,
        Answer::Tail(arguments) => follow(&view, arguments, manner).await?,
        answer => {
            manner.write(|| answer.to_json(), |style| answer.to_text(style));
        }
    }
    Ok(if answer.fails_check() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Finds the stack.
async fn view(sdk: &SdkConfig, stack: Stack) -> Result<StackView<Resources>, CommandError> {
    let connection = Connection::new(sdk);
    let places = places(&connection, &stack).await?;
    Ok(StackView {
        store: Resources::connect(&connection, &stack, &places),
        stack,
        places,
        host: Host::system(),
    })
}

/// Returns where the resources of the stack are.
async fn places(connection: &Connection, stack: &Stack) -> Result<Places, CommandError> {
    let home = Home::find(connection, &stack.ledger()).await.map_err(CommandError::Read)?;
    let home = home.ok_or_else(|| CommandError::NoSuchStack { stack: stack.as_str().to_owned() })?;
    Ok(Places::new(stack, home))
}

async fn give(view: &StackView<Resources>, records: &RejectedRecords) -> Result<(), CommandError> {
    drop(writeln!(std::io::stderr(), "scalper: {WARNING}"));
    if let Some(path) = &records.download {
        return save(path, async |file| view.copy(records, false, file).await).await;
    }
    let mut output = std::io::stdout();
    let terminal = output.is_terminal();
    view.copy(records, terminal, &mut output).await
}

/// Ends with Ctrl-C, which leaves nothing behind: each line is written whole.
async fn follow(
    view: &StackView<Resources>,
    arguments: &TailArguments,
    manner: Manner,
) -> Result<(), CommandError> {
    let pause = async || {
        tokio::time::sleep(PAUSE).await;
        true
    };
    let mut heading = if manner.json { String::new() } else { tail_heading(manner.style) };
    let emit = |outcome: &FileView| {
        write(&(std::mem::take(&mut heading) + &outcome.to_line(manner.json, manner.style)))
    };
    let failed = |failure: &CommandError| {
        report(manner.json, Some(&view.stack), failure);
    };
    view.tail(arguments, pause, emit, failed).await
}

fn write(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}
