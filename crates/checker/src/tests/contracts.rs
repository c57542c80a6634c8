//! A contract by hand: the columns `id` (string, the key), `count` (integer), `note` (at most 5 characters, else a
//! warning).

use contract::{
    Check, Code, Column, Contract, Dialect, Format, Gate, Identity, Kind, Limits, Metric, Must, NotRun,
    Policy, Rule, RuleIndex, Severity, Status, Structure, TupleRule,
};

/// The header of a file for [`contract`].
pub(crate) const COLUMNS: &str = "id,count,note\n";

const RULES: [(&str, Code, Severity, &str); 7] = [
    ("id.type", Code::TypeError, Severity::Fail, "text"),
    ("id.required", Code::MissingCell, Severity::Fail, "a value"),
    ("count.type", Code::TypeError, Severity::Fail, "an integer"),
    ("note.type", Code::TypeError, Severity::Fail, "text"),
    ("note.maxLength", Code::ConstraintError, Severity::Warn, "at most 5 characters"),
    ("count.unique", Code::UniqueError, Severity::Fail, "a value that no earlier record has"),
    ("gate", Code::FileError, Severity::Fail, "a good file"),
];

/// The place of one of the contract's own rules.
pub(crate) fn rule(id: &str) -> RuleIndex {
    let place = RULES.iter().position(|(known, ..)| *known == id).expect("a rule of this contract");
    RuleIndex(u16::try_from(Structure::COUNT + place).expect("few rules"))
}

pub(crate) fn contract() -> Contract {
    let own = RULES.map(|(id, code, severity, expected)| Rule {
        id: id.to_owned(),
        code,
        severity,
        expected: expected.to_owned(),
    });
    let mut note = column("note", Kind::String, None);
    note.checks.push((rule("note.maxLength"), Check::MaxLength(5)));
    Contract {
        identity: identity(),
        format: Format::Separated(Dialect::default()),
        encoding: None,
        limits: Limits::default(),
        columns: vec![
            column("id", Kind::String, Some(rule("id.required"))),
            column("count", Kind::Integer, None),
            note,
        ],
        drop_if: Vec::new(),
        transformed: Vec::new(),
        primary_key: vec![0],
        unique: Vec::new(),
        policy: Policy::default(),
        row_rules: Vec::new(),
        gates: Vec::new(),
        version_from: None,
        expectation: None,
        rules: Structure::ALL.into_iter().map(Structure::rule).chain(own).collect(),
        not_run: vec![NotRun {
            path: "schema[0].quality[0]".to_owned(),
            what: "quality rule of type sql".to_owned(),
            why: "there is no database on arrival".to_owned(),
        }],
    }
}

/// The contract with a gate.
pub(crate) fn with_gate(metric: Metric, percent: bool, must: Must) -> Contract {
    let gate = Gate { rule: rule("gate"), metric, percent, must };
    Contract { gates: vec![gate], ..contract() }
}

/// The contract with `count` unique.
pub(crate) fn with_unique_count() -> Contract {
    Contract { unique: vec![TupleRule { rule: rule("count.unique"), columns: vec![1] }], ..contract() }
}

/// The contract with another policy.
pub(crate) fn with_policy(change: impl FnOnce(&mut Policy)) -> Contract {
    let mut changed = contract();
    change(&mut changed.policy);
    changed
}

fn column(name: &str, kind: Kind, required: Option<RuleIndex>) -> Column {
    Column { required, classified: true, ..Column::new(name, kind, rule(&format!("{name}.type"))) }
}

fn identity() -> Identity {
    Identity {
        id: "visits".to_owned(),
        name: "visits".to_owned(),
        version: "1.0.0".to_owned(),
        status: Status::Active,
        hash: [0xab; 32],
    }
}
