//! The emulator's process, in a folder of its own.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::repository::root;

/// Settings of the caller that would send a client somewhere else.
pub(super) const NOT_INHERITED: [&str; 7] = [
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

/// A running emulator. Ends with this value, and also when the test's process is killed.
pub(super) struct Emulator {
    pub(super) endpoint: String,
    folder: PathBuf,
    guard: Child,
}

impl Emulator {
    pub(super) fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = root().join(format!(".local/tests/{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the emulator");
        let guard = guard(&folder);
        let started = step(&folder, "start", &[]);
        let endpoint = started["endpoint"].as_str().expect("an endpoint").to_owned();
        Self { endpoint, folder, guard }
    }

    /// Deploys the template with the binaries that `make build` made; returns the stack's outputs.
    pub(super) fn deploy(&self, parameters: &[String]) -> Value {
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        step(&self.folder, "deploy", &parameters)["outputs"].take()
    }

    /// What the emulator and the functions said, for a test that fails.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("emulator.log")).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let ended = self.guard.wait();
        if ended.is_ok_and(|status| status.success()) {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// Stops the emulator as soon as its standard input ends: when the test drops it, and when the test's process dies.
fn guard(folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", r#"read -r _; exec "$0" infra/local/stack.py stop --folder "$1""#]);
    command.arg(python()).arg(folder).current_dir(root());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    command.spawn().expect("start the guard")
}

fn step(folder: &Path, step: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(python());
    command
        .arg("infra/local/stack.py")
        .arg(step)
        .args(arguments)
        .arg("--folder")
        .arg(folder)
        .current_dir(root());
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("run .venv/bin/python ({error}): run `make build` first"));
    assert!(output.status.success(), "stack.py {step}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stack.py prints JSON")
}

/// Returns the interpreter that has the emulator and boto3.
pub(super) fn python() -> PathBuf {
    root().join(".venv/bin/python")
}
