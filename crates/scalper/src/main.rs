//! `scalper`: operates a Silent Scalper stack from a terminal.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use host::Host;
use outbound::Policy;
use scalper::api_gateway::ApiGateway;
use scalper::arguments::{Arguments, Command, PartnerCommand, ReadCommand, TailArguments};
use scalper::config::Config;
use scalper::failure::Failure;
use scalper::partner::Operator;
use scalper::reading::{Answer, Desk, Places, Records, WARNING, save};
use scalper::secret;
use store::aws::{Door, Home, Surveyor};

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
    let config = Config::read(&arguments)?;
    let colours = config.colours && std::io::stdout().is_terminal();
    let manner = Manner { json: arguments.json, colours };
    match arguments.command {
        Command::Partner(command) => partner(config, command, manner).await,
        Command::Read(command) => read(config, command, manner).await,
    }
}

async fn partner(config: Config, command: PartnerCommand, manner: Manner) -> Result<ExitCode, Failure> {
    let loopback = config.access.endpoint.is_some();
    let sdk = store::aws::configuration(config.access);
    let operator = Operator {
        partners: store::aws::Directory::new(&sdk, &config.stack.table()),
        gateway: ApiGateway::new(&sdk, config.stack.api()),
        stack: config.stack,
        now_ms: Host::system().now(),
        random: secret::system(),
        policy: if loopback { Policy::Loopback } else { Policy::Public },
    };
    let report = operator.run(command).await?;
    let text = if manner.json { report.to_json() + "\n" } else { report.to_text(manner.colours) };
    match write(&text) {
        Err(_) if report.has_secret() => Err(Failure::NotShown),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn read(config: Config, command: ReadCommand, manner: Manner) -> Result<ExitCode, Failure> {
    let desk = desk(config).await?;
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
async fn desk(config: Config) -> Result<Desk<Door, Surveyor>, Failure> {
    let stack = config.stack;
    let sdk = store::aws::configuration(config.access);
    let home = Home::find(&sdk, &stack.ledger()).await.map_err(Failure::Read)?;
    let home = home.ok_or_else(|| Failure::NoSuchStack { stack: stack.as_str().to_owned() })?;
    let places = Places::new(&stack, home);
    Ok(Desk {
        store: Door::new(&sdk, places.door_names(&stack)),
        survey: Surveyor::new(&sdk, stack.as_str(), &places.quarantine, &places.home.account),
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
