//! Shell completions and man pages, made from the words of the command line.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::{Arguments, GenerateCommand};
use crate::error::CommandError;

/// Carries out a command. Text goes to `output`; a reader that stops reading, as `head` does, is not a failure.
pub fn run(command: &GenerateCommand, output: &mut impl Write) -> Result<(), CommandError> {
    let written = match command {
        GenerateCommand::Completions { shell } => output.write_all(&completions(*shell)),
        GenerateCommand::Man { folder: None } => man(output),
        GenerateCommand::Man { folder: Some(folder) } => pages(folder),
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CommandError::NotWritten { kind: error.kind().to_string() })
        }
        _ => Ok(()),
    }
}

/// Returns the completion script of a shell.
fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "scalper", &mut script);
    script
}

/// Writes the man page of `scalper` itself.
fn man(output: &mut impl Write) -> io::Result<()> {
    clap_mangen::Man::new(Arguments::command()).render(output)
}

/// Writes one page for `scalper` and one for each of its commands.
fn pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(command: &GenerateCommand) -> String {
        let mut output = Vec::new();
        run(command, &mut output).unwrap_or_else(|failure| panic!("{failure}"));
        String::from_utf8(output).expect("text")
    }

    #[test]
    fn every_shell_completes_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = printed(&GenerateCommand::Completions { shell });
            for word in ["status", "partner", "suspend", "expires-days", "completions"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }

    #[test]
    fn the_man_page_has_commands_options_and_exit_codes() {
        let page = printed(&GenerateCommand::Man { folder: None });
        assert!(page.contains(".TH scalper 1"), "{page}");
        for words in ["scalper\\-status(1)", "Global options", "Exit codes"] {
            assert!(page.to_lowercase().contains(&words.to_lowercase()), "{words}");
        }
    }

    #[test]
    fn a_folder_gets_one_page_per_command() {
        let folder = std::env::temp_dir().join(format!("scalper-man-{}", std::process::id()));
        let inner = folder.join("man1");
        printed(&GenerateCommand::Man { folder: Some(inner.clone()) });
        for page in ["scalper.1", "scalper-show.1", "scalper-partner-add.1"] {
            assert!(inner.join(page).is_file(), "{page}");
        }
        fs::remove_dir_all(&folder).expect("removed");
    }
}
