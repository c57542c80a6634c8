//! `scalper`: operates a Silent Scalper stack from a terminal.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use host::Host;
use outbound::Policy;
use scalper::access;
use scalper::api_gateway::ApiGateway;
use scalper::arguments::{Arguments, Command, PartnerCommand, ReadCommand, TailArguments};
use scalper::config::Config;
use scalper::doctor::{Doctor, Known};
use scalper::failure::Failure;
use scalper::names::Stack;
use scalper::partner::Operator;
use scalper::reading::{Answer, Desk, Places, Records, WARNING, save};
use scalper::secret;
use store::aws::{Door, Examiner, Home, InboxOwner, SdkConfig, Surveyor};

/// Between two looks of `tail`.
const PAUSE: Duration = Duration::from_secs(2);

/// How answers are written.
#[derive(Clone, Copy)]
struct Manner {
    json: bool,
    colours: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    match Box::pin(run(arguments)).await {
        Ok(code) => code,
        Err(failure) => {
            tell(json, &failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// A failure, to standard error. Where nobody reads, the exit code still tells.
fn tell(json: bool, failure: &Failure) {
    let text = if json { failure.to_json().to_string() } else { format!("scalper: {failure}") };
    drop(writeln!(std::io::stderr(), "{text}"));
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Config { stack, region, colours } = Config::read(&arguments)?;
    let sdk = access::connect(region).await?;
    let colours = colours && std::io::stdout().is_terminal();
    let manner = Manner { json: arguments.json, colours };
    match arguments.command {
        Command::Partner(command) => partner(&sdk, stack, command, manner).await,
        Command::Doctor => doctor(&sdk, stack, manner).await,
        Command::Read(command) => read(&sdk, stack, command, manner).await,
    }
}

async fn partner(
    sdk: &SdkConfig,
    stack: Stack,
    command: PartnerCommand,
    manner: Manner,
) -> Result<ExitCode, Failure> {
    let operator = Operator {
        partners: store::aws::Directory::new(sdk, &stack.table()),
        gateway: ApiGateway::new(sdk, stack.api()),
        uploads: InboxOwner::new(sdk, stack.as_str()),
        stack,
        now_ms: Host::system().now(),
        random: secret::system(),
        policy: if sdk.endpoint_url().is_some() { Policy::Loopback } else { Policy::Public },
    };
    let report = operator.run(command).await?;
    let text = if manner.json { report.to_json() + "\n" } else { report.to_text(manner.colours) };
    match write(&text) {
        Err(_) if report.has_secret() => Err(Failure::NotShown),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn doctor(sdk: &SdkConfig, stack: Stack, manner: Manner) -> Result<ExitCode, Failure> {
    let home = Home::find(sdk, &stack.ledger()).await.map_err(Failure::NotChecked)?;
    let home = home.ok_or_else(|| Failure::NoSuchStack { stack: stack.as_str().to_owned() })?;
    let places = Places::new(&stack, home);
    let doctor = Doctor {
        store: Door::new(sdk, places.door_names(&stack)),
        survey: Surveyor::new(sdk, stack.as_str(), &places.quarantine, &places.home.account),
        checkup: Examiner::new(sdk, stack.as_str(), &places.home),
        uploads: InboxOwner::new(sdk, stack.as_str()),
        gateway: ApiGateway::new(sdk, stack.api()),
        known: Known { stack, places, now_ms: Host::system().now() },
    };
    let diagnosis = doctor.examine().await;
    let text = if manner.json { diagnosis.to_json() + "\n" } else { diagnosis.to_text() };
    // A reader that has gone away needs no answer.
    write(&text).ok();
    Ok(ExitCode::from(diagnosis.exit_code()))
}

async fn read(
    sdk: &SdkConfig,
    stack: Stack,
    command: ReadCommand,
    manner: Manner,
) -> Result<ExitCode, Failure> {
    let desk = desk(sdk, stack).await?;
    let answer = desk.run(command).await?;
    match &answer {
        Answer::Records(_) if manner.json => return Err(Failure::RecordsAreNoJson),
        Answer::Records(records) => give(&desk, records).await?,
        Answer::Tail(arguments) => follow(&desk, arguments, manner).await?,
        answer => {
            let text = if manner.json { answer.to_json() + "\n" } else { answer.to_text(manner.colours) };
            // A reader that has gone away needs no answer.
            write(&text).ok();
        }
    }
    Ok(if answer.fails_check() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Finds the stack.
async fn desk(sdk: &SdkConfig, stack: Stack) -> Result<Desk<Door, Surveyor>, Failure> {
    let home = Home::find(sdk, &stack.ledger()).await.map_err(Failure::Read)?;
    let home = home.ok_or_else(|| Failure::NoSuchStack { stack: stack.as_str().to_owned() })?;
    let places = Places::new(&stack, home);
    Ok(Desk {
        store: Door::new(sdk, places.door_names(&stack)),
        survey: Surveyor::new(sdk, stack.as_str(), &places.quarantine, &places.home.account),
        stack,
        places,
        host: Host::system(),
    })
}

async fn give(desk: &Desk<Door, Surveyor>, records: &Records) -> Result<(), Failure> {
    drop(writeln!(std::io::stderr(), "scalper: {WARNING}"));
    if let Some(path) = &records.download {
        return save(path, async |file| desk.copy(records, false, file).await).await;
    }
    let mut output = std::io::stdout();
    let terminal = output.is_terminal();
    desk.copy(records, terminal, &mut output).await
}

/// Ends with Ctrl-C, which leaves nothing behind: each line is written whole.
async fn follow(
    desk: &Desk<Door, Surveyor>,
    arguments: &TailArguments,
    manner: Manner,
) -> Result<(), Failure> {
    let pause = async || {
        tokio::time::sleep(PAUSE).await;
        true
    };
    let emit = |outcome: &scalper::reading::FileView| write(&outcome.to_line(manner.json, manner.colours));
    desk.tail(arguments, pause, emit, |failure| tell(manner.json, failure)).await
}

fn write(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}
