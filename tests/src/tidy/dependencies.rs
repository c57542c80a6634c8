//! What the crates depend on: purity, licences, one TLS stack.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::{PURE, assert_none, regex};
use crate::repository::root;

/// Licences that a closed or open product may link without a further duty than to name the authors.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

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

#[test]
fn every_licence_is_one_we_accept() {
    let rejected = linked_packages().into_iter().filter_map(|package| {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or("none given");
        (!accepted(licence)).then(|| format!("{name}: {licence}"))
    });
    assert_none("a licence that is not on the list", rejected);
}

#[test]
fn there_is_one_tls_stack() {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in linked_packages() {
        let name = package["name"].as_str().expect("a name");
        versions.entry(name).or_default().insert(package["version"].as_str().expect("a version"));
    }
    for other in ["native-tls", "openssl", "openssl-sys", "boring", "aws-lc-rs", "aws-lc-sys", "s2n-tls"] {
        assert!(!versions.contains_key(other), "{other} is linked beside rustls on ring");
    }
    for once in ["rustls", "hyper", "ring"] {
        assert_eq!(
            versions.get(once).map_or(0, BTreeSet::len),
            1,
            "versions of {once}: {:?}",
            versions.get(once)
        );
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

#[test]
fn a_licence_expression_is_accepted_when_one_of_its_ways_is() {
    let check = |expression: &str, expected: bool| assert_eq!(accepted(expression), expected, "{expression}");
    check("MIT", true);
    check("MIT/Apache-2.0", true);
    check("GPL-3.0 OR MIT", true);
    check("GPL-3.0 AND MIT", false);
    check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
    check("(MIT OR Apache-2.0) AND AGPL-3.0", false);
    check("Apache-2.0 WITH LLVM-exception OR AGPL-3.0", true);
    check("AGPL-3.0-only", false);
}

/// Whether an SPDX expression leaves a way on the list. `AND` binds tighter than `OR`; the old `/` is `OR`.
fn accepted(expression: &str) -> bool {
    let spaced =
        expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "_WITH_");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (result, rest) = alternatives(&words);
    result && rest.is_empty()
}

fn alternatives<'w>(words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
    let (mut result, mut rest) = conjunction(words);
    while let Some((&"OR", after)) = rest.split_first() {
        let (next, left) = conjunction(after);
        result |= next;
        rest = left;
    }
    (result, rest)
}

fn conjunction<'w>(words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
    let (mut result, mut rest) = term(words);
    while let Some((&"AND", after)) = rest.split_first() {
        let (next, left) = term(after);
        result &= next;
        rest = left;
    }
    (result, rest)
}

fn term<'w>(words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
    match words.split_first() {
        Some((&"(", after)) => {
            let (result, rest) = alternatives(after);
            (result, rest.split_first().map_or(rest, |(_, left)| left))
        }
        Some((licence, rest)) => (LICENCES.contains(&licence.replace("_WITH_", " WITH ").as_str()), rest),
        None => (false, words),
    }
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

/// Foreign packages that are compiled into any of our crates for release.
fn linked_packages() -> Vec<&'static Value> {
    let members = METADATA["workspace_members"].as_array().expect("members");
    let starts: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
    let reached = reach(&starts).into_iter().map(package_of);
    reached.filter(|package| !package["source"].is_null()).collect()
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
