//! The partners' page of the README, as it stands there.

use std::process::Command;

use super::api::Shows;
use super::emulator::python;
use super::harness::Harness;
use crate::repository::{root, text};

#[tokio::test]
async fn a_newcomer_can_send_a_file_with_the_lines_of_the_readme() {
    let harness = Harness::open().await;
    let partner = harness.add_partner("riverside");
    let Shows::Key(key) = &partner.shows else { panic!("a partner has a key") };
    let folder = root().join(format!(".local/tests/readme-{}", std::process::id()));
    let samples =
        Command::new(python()).arg("infra/samples/generate.py").arg(&folder).current_dir(root()).status();
    assert!(samples.expect("run the generator").success());
    let sample = folder.join("scan-reports-one-percent-bad.csv");
    std::fs::copy(sample, folder.join("day.csv")).expect("the partner's file");

    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &lines()]).current_dir(&folder);
    let output = shell.env("API", &harness.names.api).env("KEY", key).output().expect("run the lines");
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(said.contains(r#""RPT-00001002""#), "a record is shown: {said}");
    let rejects = std::fs::read_to_string(folder.join("rejects.csv")).expect("the rejected records");
    assert!(rejects.contains("_reason") && rejects.lines().count() > 5, "{rejects}");
    partner.until("/v1/files", |answer| {
        let page = answer.json();
        let files = page["files"].as_array().expect("files");
        files.len() == 2 && files.iter().all(|file| file["state"] == "COMPLETE")
    });
    drop(std::fs::remove_dir_all(&folder));
}

/// The second block below the page's heading; the first one sets what the test sets.
fn lines() -> String {
    let readme = text("README.md");
    let page = readme.split_once("## Send files by API (for partners)\n").expect("the page").1;
    let page = page.split("\n## ").next().unwrap_or_default();
    let block = page.split("```bash\n").nth(2).expect("a second block");
    block.split("\n```").next().unwrap_or_default().to_owned()
}
