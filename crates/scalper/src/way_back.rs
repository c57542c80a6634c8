//! The commands that have files processed and follow them, at a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use scalper::arguments::{BackfillArguments, ReleaseArguments, ReplayArguments};
use scalper::audited::{Audited, Auditor};
use scalper::backfill::BackfillReport;
use scalper::error::CommandError;
use scalper::hold::ReleaseReport;
use scalper::interrupt::{Interrupt, ctrl_c};
use scalper::names::Stack;
use scalper::reading::StackView;
use scalper::replay::{ReplayPlan, ReplayReport};
use store::aws::{Connection, SdkConfig};

use crate::{AuditTrail, LOOK_AGAIN, Manner, PAUSE, Resources, auditor, confirmed, view, write};

/// Takes Ctrl-C from here on: the first one ends the command with what was done so far, the second one at once.
fn interrupt() -> Interrupt<'static> {
    let pressed = ctrl_c();
    Interrupt::new(async move {
        pressed.await;
        // A terminal that has gone away needs no explanation.
        let said = "\nscalper: interrupted: no more files are sent; Ctrl-C again ends at once";
        drop(writeln!(std::io::stderr(), "{said}"));
    })
}

/// Shows one line of progress on a terminal, in the place of the one before.
fn progress(text: &str) {
    // ECMA-48: back to the first column, and erase the line. A terminal that has gone away needs no progress.
    drop(write!(std::io::stderr(), "\r\u{1b}[K{text}"));
}

/// Replays files.
pub(crate) async fn replay(
    sdk: &SdkConfig,
    stack: Stack,
    arguments: &ReplayArguments,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let auditor = auditor(&Connection::new(sdk), &stack);
    let view = view(sdk, stack).await?;
    let plan = plan_replay(&view, arguments).await?;
    if !manner.json {
        // A reader that has gone away needs no answer.
        write(&plan.to_text(manner.style)).ok();
    }
    if arguments.dry_run || plan.files() == 0 {
        if manner.json {
            write(&(plan.to_json() + "\n")).ok();
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes && !confirmed(&format!("replay {} files? [y/N] ", plan.files())) {
        return Err(CommandError::NotConfirmed);
    }
    let audited = run_replay(&view, plan, arguments, &auditor).await?;
    manner.write(|| audited.report.to_json(), |style| audited.report.to_text(style));
    let report = audited.finished()?;
    Ok(ExitCode::from(report.exit_code()))
}

/// Plans a replay, with its progress on a terminal.
pub(crate) async fn plan_replay(
    view: &StackView<Resources>,
    arguments: &ReplayArguments,
) -> Result<ReplayPlan, CommandError> {
    let terminal = std::io::stderr().is_terminal().then(std::io::stderr);
    Box::pin(view.plan_replay(arguments, terminal)).await
}

/// Carries a planned replay out and follows it to its end, or to the first Ctrl-C.
pub(crate) async fn run_replay(
    view: &StackView<Resources>,
    plan: ReplayPlan,
    arguments: &ReplayArguments,
    auditor: &Auditor<AuditTrail>,
) -> Result<Audited<ReplayReport>, CommandError> {
    let terminal = std::io::stderr().is_terminal();
    let pause = async || tokio::time::sleep(PAUSE).await;
    let seen = |ended: usize, all: usize| {
        if terminal {
            progress(&if ended < all { format!("{ended} of {all} decided") } else { String::new() });
        }
    };
    Box::pin(view.replay(plan, arguments, auditor, pause, seen, interrupt())).await
}

/// Sends files that are in the inbox already. What was interrupted is in the bucket and the ledger, so that the same
/// command goes on.
pub(crate) async fn backfill(
    sdk: &SdkConfig,
    stack: Stack,
    arguments: &BackfillArguments,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let auditor = auditor(&Connection::new(sdk), &stack);
    let view = view(sdk, stack).await?;
    let survey = view.survey(arguments).await?;
    if arguments.dry_run {
        manner.write(|| survey.to_json(), |style| survey.to_text(style));
        return Ok(ExitCode::SUCCESS);
    }
    let mut errors = std::io::stderr();
    let is_terminal = errors.is_terminal();
    if !manner.json || is_terminal {
        drop(write!(errors, "{}", survey.to_text(manner.style)));
    }
    if !arguments.yes && !survey.is_done() && !confirmed(&survey.question()) {
        return Err(CommandError::NotConfirmed);
    }
    let shown = |report: &BackfillReport| {
        if is_terminal {
            progress(&report.progress());
        }
    };
    let pause = async || tokio::time::sleep(LOOK_AGAIN).await;
    let done = Box::pin(view.backfill(arguments, survey, &auditor, pause, shown, interrupt())).await;
    if is_terminal {
        drop(writeln!(errors));
    }
    let Audited { report, noted } = done?;
    manner.write(|| report.to_json(), |style| report.to_text(&view.stack, style));
    noted.map(|()| ExitCode::from(report.exit_code()))
}

/// Releases a feed and follows the files that waited. The ledger has what waits, so that an interrupted command is run
/// again.
pub(crate) async fn release(
    sdk: &SdkConfig,
    stack: Stack,
    arguments: &ReleaseArguments,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let auditor = auditor(&Connection::new(sdk), &stack);
    let view = view(sdk, stack).await?;
    let is_terminal = std::io::stderr().is_terminal();
    let shown = |report: &ReleaseReport| {
        if is_terminal {
            progress(&report.progress());
        }
    };
    let pause = async || tokio::time::sleep(LOOK_AGAIN).await;
    let done = Box::pin(view.release_feed(arguments, &auditor, pause, shown, interrupt())).await;
    if is_terminal {
        drop(writeln!(std::io::stderr()));
    }
    let Audited { report, noted } = done?;
    manner.write(|| report.to_json(), |style| report.to_text(&view.stack, style));
    noted.map(|()| ExitCode::from(report.exit_code()))
}
