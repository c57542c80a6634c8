//! The expanded template, under every choice of its parameters. The emulator accepts and ignores encryption,
//! retention and most policies, so this is where they are held to.

mod alarm_states;
mod alarms;
mod api;
mod buckets;
mod cloudwatch;
mod dashboard;
mod expanded;
mod functions;
mod messages;
mod monitoring;
mod permissions;
mod queues;
mod tables;

use std::sync::LazyLock;

use expanded::ExpandedTemplate;

/// The partner API for two web origins and two address ranges.
const WEB: [(&str, &str); 2] = [
    ("AllowedOrigins", "https://portal.example.org,https://other.example.org"),
    ("AllowedCidrs", "192.0.2.0/24,2001:db8::/32"),
];

/// Every alarm.
const FULL: (&str, &str) = ("Monitoring", "Full");

/// The outbox.
const OUTBOX: (&str, &str) = ("Outbox", "On");

/// Both key choices on both architectures; a production stack and one that may be deleted; all of them watched fully
/// and with the outbox, so that every alarm is there. What `Basic` and `Off` leave out is in `monitoring`.
static CHOICES: LazyLock<Vec<ExpandedTemplate>> = LazyLock::new(|| {
    let choices: [&[(&str, &str)]; 4] = [
        &[("KeyChoice", "AwsOwned"), ("Architecture", "arm64"), ("Stage", "prod"), FULL, OUTBOX],
        &[
            ("KeyChoice", "AwsOwned"),
            ("Architecture", "x86_64"),
            ("OnDelete", "Delete"),
            ("AllowIam", "true"),
            FULL,
            OUTBOX,
        ],
        &[
            ("KeyChoice", "CustomerKey"),
            ("Architecture", "arm64"),
            ("OnDelete", "Delete"),
            WEB[0],
            WEB[1],
            FULL,
            OUTBOX,
        ],
        &[
            ("KeyChoice", "CustomerKey"),
            ("Architecture", "x86_64"),
            ("Stage", "prod"),
            ("GatewayLogsRole", "Existing"),
            FULL,
            OUTBOX,
        ],
    ];
    choices.into_iter().map(ExpandedTemplate::expand).collect()
});

/// The alarms of each choice.
static ALARMS: LazyLock<Vec<ExpandedTemplate>> =
    LazyLock::new(|| CHOICES.iter().map(ExpandedTemplate::alarms).collect());

/// Checks every choice with its alarms; a failure says which one it was.
fn with_all_alarms(check: impl Fn(&ExpandedTemplate, &ExpandedTemplate)) {
    for (stack, alarms) in CHOICES.iter().zip(ALARMS.iter()) {
        eprintln!("template with {:?}", stack.parameters);
        check(stack, alarms);
    }
}

/// Checks every choice; a failure says which one it was.
fn with_every_choice(check: impl Fn(&ExpandedTemplate)) {
    for stack in CHOICES.iter() {
        eprintln!("template with {:?}", stack.parameters);
        check(stack);
    }
}

#[test]
fn every_parameter_is_explained() {
    let stack = &CHOICES[0];
    for (name, parameter) in stack.declared_parameters() {
        assert!(
            parameter["Description"].as_str().is_some_and(|text| text.len() > 20),
            "{name} has no description"
        );
        let secret = ["secret", "password", "token"].iter().any(|word| name.to_lowercase().contains(word));
        // The ARN of a secret is none.
        let secret = secret && !name.ends_with("Arn");
        assert!(
            !secret || parameter["NoEcho"] == true && parameter["Default"].is_null(),
            "{name} has a default"
        );
    }
}

#[test]
fn every_output_exists_and_names_a_resource() {
    with_every_choice(|stack| {
        for (name, value) in stack.outputs() {
            assert!(
                stack.resource_behind(&value).is_some(),
                "output {name} is {value}, which is no resource"
            );
        }
    });
}
