//! The words of `ack`.

use clap::Args;

/// Characters of a reason.
const REASON_CHARACTERS: usize = 200;

/// Which quarantined files are waited for no longer, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct AckArguments {
    /// The file's id, its load's, or its key; several may be given
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Why no good file is needed, at most 200 characters; kept with the file, so leave out what partners sent
    #[arg(long, value_parser = reason)]
    pub reason: String,
    /// Say what would be noted, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        Err("expected a reason, for example --reason 'a test file'".to_owned())
    } else if text.chars().count() > REASON_CHARACTERS {
        Err(format!("{} characters; at most {REASON_CHARACTERS} allowed", text.chars().count()))
    } else if text.contains(char::is_control) {
        Err("it has control characters: expected one line of text".to_owned())
    } else {
        Ok(text.to_owned())
    }
}
