//! The commands on contracts, at a terminal.

use std::io::{IsTerminal as _, Stderr};
use std::process::ExitCode;

use scalper::access;
use scalper::arguments::{ContractCommand, PublishArguments};
use scalper::audited::{Audited, Auditor};
use scalper::contracts::{
    self, ContractAnswer, Documents, PreviewProgress, PublishPlan, PublishReport, PushEnd,
};
use scalper::error::CommandError;
use scalper::names::Stack;
use scalper::preview::Progress;
use scalper::reading::StackView;
use scalper::replay::ReplayReport;
use store::Verb;
use store::aws::Connection;

use crate::{AuditTrail, Manner, Resources, auditor, confirmed, view, way_back, write};

/// A preview's progress, on standard error where that is a terminal.
#[derive(Default)]
struct Terminal(Option<Progress<Stderr>>);

impl PreviewProgress for Terminal {
    fn begin(&mut self, files: usize) {
        let output = std::io::stderr();
        self.0 = Some(Progress::new(output.is_terminal().then_some(output), files));
    }

    fn read(&mut self, bytes: u64) {
        if let Some(progress) = &mut self.0 {
            progress.read(bytes);
        }
    }

    fn end_file(&mut self) {
        if let Some(progress) = &mut self.0 {
            progress.end_file();
        }
    }
}

/// Carries out a command on contracts. Those that need no stack look for none.
pub(crate) async fn run(
    command: ContractCommand,
    stack: Stack,
    region: Option<String>,
    manner: Manner,
) -> Result<ExitCode, CommandError> {
    let (documents, mut input) = (Documents::of_files(), std::io::stdin());
    if let Some(answer) = contracts::run_offline(&command, &documents, &mut input)? {
        return Ok(show(&answer, &stack, manner));
    }
    let sdk = access::connect(region).await?;
    let connection = Connection::new(&sdk);
    let view = view(&sdk, stack).await?;
    let mut progress = Terminal::default();
    let answer = view.contract_command(&command, &documents, &mut input, &mut progress).await?;
    drop(progress);
    let (publish, verb) = match &command {
        ContractCommand::Push(arguments) => (&arguments.publish, Verb::ContractPush),
        ContractCommand::Rollback(arguments) => (&arguments.publish, Verb::ContractRollback),
        _ => return Ok(show(&answer, &view.stack, manner)),
    };
    let ContractAnswer::Plan(plan) = &answer else { return Ok(show(&answer, &view.stack, manner)) };
    let auditor = auditor(&connection, &view.stack);
    if let Some(report) = plan.left_to_replay() {
        if !manner.json {
            show(&answer, &view.stack, manner);
        }
        let replayed = rescue(&view, &report, &auditor, manner).await;
        return end(report.end(plan, &view.stack, replayed), manner);
    }
    if !plan.is_ready() {
        return Ok(show(&answer, &view.stack, manner));
    }
    let confirmed = confirm(plan, publish, &answer, &view.stack, manner)?;
    let report = Box::pin(view.publish_noted(plan, verb, &auditor)).await?;
    if !manner.json {
        let shown = if confirmed { String::new() } else { answer.to_text(manner.style) + "\n" };
        let offer = report.offer(&view.stack, manner.style);
        write(&(shown + &report.to_text(manner.style) + &offer)).ok();
    }
    let asked = confirmed && !publish.replay && !report.rescues.is_empty();
    let wanted = publish.replay || asked && crate::confirmed(&report.rescues.question());
    let replayed = if wanted { rescue(&view, &report, &auditor, manner).await } else { Ok(None) };
    end(report.end(plan, &view.stack, replayed), manner)
}

/// Shows the document of a command that ended, where one is asked for, and returns its exit code.
fn end(ended: PushEnd, manner: Manner) -> Result<ExitCode, CommandError> {
    if manner.json {
        // A reader that has gone away needs no answer.
        write(&(ended.json + "\n")).ok();
    }
    ended.code.map(ExitCode::from)
}

/// Replays the files that a published version rescues, as an act of its own. None when none is left to replay.
async fn rescue(
    view: &StackView<Resources>,
    published: &PublishReport,
    auditor: &Auditor<AuditTrail>,
    manner: Manner,
) -> Result<Option<Audited<ReplayReport>>, CommandError> {
    if published.rescues.is_empty() {
        return Ok(None);
    }
    let arguments = published.replay();
    let plan = way_back::plan_replay(view, &arguments).await?;
    if !manner.json {
        // A reader that has gone away needs no answer.
        write(&plan.to_text(manner.style)).ok();
    }
    if plan.files() == 0 {
        return Ok(None);
    }
    let audited = way_back::run_replay(view, plan, &arguments, auditor).await?;
    if !manner.json {
        write(&audited.report.to_text(manner.style)).ok();
    }
    Ok(Some(audited))
}

/// Shows an answer about contracts and returns its exit code.
fn show(answer: &ContractAnswer, stack: &Stack, manner: Manner) -> ExitCode {
    let text = if manner.json { answer.to_json() + "\n" } else { answer.to_text(manner.style) };
    let is_document = matches!(answer, ContractAnswer::Shown(_) | ContractAnswer::Lint(_));
    // A reader that has gone away needs no answer.
    write(&if manner.json || is_document { text } else { stack.spell(&text) }).ok();
    ExitCode::from(answer.exit_code())
}

/// Asks on the terminal whether a version is to be published, unless the command says so. Returns whether the plan was
/// shown.
fn confirm(
    plan: &PublishPlan,
    publish: &PublishArguments,
    answer: &ContractAnswer,
    stack: &Stack,
    manner: Manner,
) -> Result<bool, CommandError> {
    if publish.yes {
        return Ok(false);
    }
    show(answer, stack, manner);
    if !std::io::stdin().is_terminal() || manner.json {
        return Err(CommandError::NotConfirmed);
    }
    if confirmed(&plan.question()) { Ok(true) } else { Err(CommandError::NotWanted) }
}
