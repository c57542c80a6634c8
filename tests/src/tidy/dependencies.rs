//! What the crates depend on: purity, credentials, requests. Licences, sources and forbidden crates are in `deny.toml`.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::{PURE, assert_none, regex};
use crate::repository::root;

/// `cargo metadata` for the machine that runs the tests, from what the build has already fetched.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let host = run("rustc", &["-vV"]);
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let arguments = ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", host];
    serde_json::from_str(&run(env!("CARGO"), &arguments)).expect("cargo metadata is JSON")
});

#[test]
fn a_pure_crate_links_no_runtime_and_no_network() {
    let impure = regex(r"^(aws-|aws_|lambda_|tokio|hyper|mio$|reqwest|rustls|async-std|smol$|socket2$)");
    for name in PURE {
        let reached = linked_into(name);
        let places = reached.into_iter().filter(|dependency| impure.is_match(dependency));
        assert_none(&format!("{name} links"), places);
    }
}

#[test]
fn functions_never_depend_on_each_other() {
    let binaries: BTreeSet<String> = super::names::binaries().into_iter().collect();
    for name in &binaries {
        let reached = linked_into(name);
        assert_none(
            &format!("{name} links"),
            reached.into_iter().filter(|other| binaries.contains(other) && other != name),
        );
    }
}

#[test]
fn only_the_command_line_looks_for_credentials() {
    // Lambda gives a function its credentials; a chain of providers costs size and start.
    let chain = ["aws-config", "aws-sdk-sso", "aws-sdk-ssooidc", "aws-sdk-sts"];
    for name in super::names::binaries() {
        let linked = linked_into(&name);
        let found: Vec<_> = chain.into_iter().filter(|one| linked.contains(*one)).collect();
        let expected = if name == "scalper" { chain.to_vec() } else { Vec::new() };
        assert_eq!(found, expected, "{name} links");
    }
}

/// The errors of `aws_lambda_events` repeat the values of headers, and one of them is the sender's credential.
#[test]
fn requests_are_read_without_the_crate_of_events() {
    let nodes = METADATA["resolve"]["nodes"].as_array().expect("nodes").iter();
    let of_events =
        |node: &&Value| package_of(node["id"].as_str().expect("an id"))["name"] == "aws_lambda_events";
    let features = nodes.filter(of_events).flat_map(|node| node["features"].as_array().expect("features"));
    let of_requests = ["alb", "apigw", "iot", "lambda_function_urls", "vpc_lattice"];
    let found = features.filter_map(Value::as_str).filter(|feature| of_requests.contains(feature));
    assert_none("aws_lambda_events reads requests with", found.map(str::to_owned));
}

/// Names of everything that is compiled into the crate for release (no tests, no build scripts).
fn linked_into(name: &str) -> BTreeSet<String> {
    let start = packages().find(|package| package["name"] == name && package["source"].is_null());
    let start = start.unwrap_or_else(|| panic!("no crate {name}"))["id"].as_str().expect("an id");
    reach(&[start])
        .into_iter()
        .map(|id| package_of(id)["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn reach(starts: &[&'static str]) -> BTreeSet<&'static str> {
    let nodes = METADATA["resolve"]["nodes"].as_array().expect("nodes");
    let normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().expect("kinds");
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    let mut reached = BTreeSet::new();
    let mut left = starts.to_vec();
    while let Some(id) = left.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id).expect("a resolved package");
        let dependencies = node["deps"].as_array().expect("dependencies").iter();
        left.extend(dependencies.filter(normal).filter_map(|dependency| dependency["pkg"].as_str()));
    }
    reached
}

fn packages() -> impl Iterator<Item = &'static Value> {
    METADATA["packages"].as_array().expect("packages").iter()
}

fn package_of(id: &str) -> &'static Value {
    packages().find(|package| package["id"] == id).expect("a listed package")
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("run {program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8 output")
}
