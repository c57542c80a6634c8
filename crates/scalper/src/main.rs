//! `scalper`: operates a Silent Scalper stack from a terminal.

// The futures of the SDK lie deep in one another; their layout is computed in one query.
#![recursion_limit = "256"]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use host::Host;
use outbound::Policy;
use scalper::api_gateway::ApiGateway;
use scalper::arguments::{Arguments, Command};
use scalper::config::Config;
use scalper::failure::Failure;
use scalper::partner::Operator;
use scalper::secret;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    match Box::pin(run(arguments)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = if json { failure.to_json().to_string() } else { format!("scalper: {failure}") };
            // Where nobody reads, the exit code still tells.
            drop(writeln!(std::io::stderr(), "{text}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::read(&arguments)?;
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
    let Command::Partner(command) = arguments.command;
    let report = operator.run(command).await?;
    let mut output = std::io::stdout();
    let text = if arguments.json {
        report.to_json() + "\n"
    } else {
        report.to_text(config.colours && output.is_terminal())
    };
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    match written {
        Err(_) if report.has_secret() => Err(Failure::NotShown),
        _ => Ok(()),
    }
}
