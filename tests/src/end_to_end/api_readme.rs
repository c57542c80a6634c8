//! The commands on the pages for partners, operators and writers of contracts, run as they are written.

use std::process::Command;

use super::api::Shows;
use super::emulator::python;
use super::harness::Harness;
use crate::repository::{files, has_extension, root, text};
use crate::tidy::regex;

#[tokio::test]
async fn a_newcomer_can_send_a_file_with_the_lines_of_the_page() {
    let harness = Harness::open().await;
    let partner = harness.add_partner("riverside");
    let Shows::Key(key) = &partner.shows else { panic!("a partner has a key") };
    let folder = root().join(format!(".local/tests/pages-{}", std::process::id()));
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

/// Returns the second block of the section; the first one sets what the test sets.
fn lines() -> String {
    blocks("docs/partners.md", "## Get started", "bash").remove(1)
}

#[tokio::test]
async fn the_contract_of_the_page_comes_into_force() {
    let harness = Harness::open().await;
    let contract = blocks("docs/contracts.md", "## Write a contract", "yaml").remove(0);
    harness.publish_feed("scan-reports", &contract).await;
    let partner = harness.add_partner("riverside");
    partner.until("/v1/feeds/scan-reports/contract", |answer| answer.body == contract.as_bytes());
}

#[test]
fn every_command_of_scalper_on_a_page_exists_with_its_options() {
    let line = regex(r"(?m)(?:^|`|\()scalper ([a-z][^`\n#)]*)");
    let option = regex(r"--[a-z][a-z0-9-]*");
    let pages = files().into_iter().filter(|path| has_extension(path, "md") && path != "CHANGELOG.md");
    let mut seen = 0;
    for page in pages {
        for found in line.captures_iter(&text(&page)) {
            let words: Vec<&str> = found[1].split_whitespace().collect();
            let nested = usize::from(matches!(words[0], "partner" | "contract") && words.len() > 1);
            let output = Command::new(root().join("target/debug/scalper"))
                .args(words.iter().take(1 + nested))
                .arg("--help")
                .output()
                .expect("run scalper, which `make build` makes");
            let help = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{page}: scalper {}", &found[1]);
            for option in option.find_iter(&found[1]) {
                assert!(help.contains(option.as_str()), "{page}: scalper {}: {help}", &found[1]);
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} commands on all pages");
}

/// Blocks of code below a heading of a page, in one language.
fn blocks(page: &str, heading: &str, language: &str) -> Vec<String> {
    let content = text(page);
    let section = content.split_once(&format!("{heading}\n")).expect("the section").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let begin = format!("```{language}\n");
    let blocks = section.split(begin.as_str()).skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}
