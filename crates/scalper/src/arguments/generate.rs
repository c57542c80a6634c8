//! The words of the commands that describe the command line itself.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::Shell;

/// What to print about the command line. Needs no stack and no AWS.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum GenerateCommand {
    /// Print shell completions
    #[command(after_help = "Examples:\n  \
                            scalper completions bash > ~/.local/share/bash-completion/completions/scalper\n  \
                            scalper completions zsh > ~/.zfunc/_scalper\n  \
                            scalper completions fish > ~/.config/fish/completions/scalper.fish")]
    Completions {
        /// Shell that reads them
        shell: Shell,
    },
    /// Print the man page, or write one page per command to a folder
    #[command(after_help = "Examples:\n  scalper man | man -l -\n  \
                            scalper man --folder ~/.local/share/man/man1")]
    Man {
        /// Write `scalper.1`, `scalper-show.1` and so on to this folder, which is created if needed
        #[arg(long, value_name = "PATH")]
        folder: Option<PathBuf>,
    },
}
