//! Contract words in advice and reasons are words that the compiler takes.

use ledger::FaultCode;

/// The smallest contract, with more on its server, its schema object and its property.
fn contract(server: &str, schema: &str, property: &str) -> String {
    format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: feed\nversion: 1.0.0\nstatus: active\nservers:\n  - server: inbox\n    type: s3\n\
         \x20   location: s3://inbox/a/feed/\n{server}schema:\n  - name: feed\n{schema}    properties:\n      - name: id\n\
         \x20       logicalType: string\n        primaryKey: true\n{property}",
    )
}

/// A custom property as a line at some depth.
fn custom(indent: usize, key: &str, value: &str) -> String {
    let blank = " ".repeat(indent);
    format!("{blank}customProperties: [{{ property: {key}, vendor: ingest, value: {value} }}]\n")
}

/// Whether the compiler takes a word of an advice somewhere: `key: value`, or a key with some value.
fn is_accepted(word: &str) -> bool {
    let (key, values) = match word.split_once(": ") {
        Some((key, value)) => (key, vec![value]),
        None => (word, vec!["1", "true", "utf-8", "/a", "{}", "a", "id == 'a'"]),
    };
    values.into_iter().any(|value| {
        let limit = format!("{{ {key}: {value} }}");
        let places = [
            contract(&format!("    format: json\n    {key}: {value}\n"), "", ""),
            contract(&format!("    {key}: {value}\n"), "", ""),
            contract(&custom(4, key, value), "", ""),
            contract(&format!("    format: json\n{}", custom(4, key, value)), "", ""),
            contract(&custom(4, "limits", &limit), "", ""),
            contract(&custom(4, "csvDialect", &limit), "", ""),
            contract("", &custom(4, key, value), ""),
            contract("", "", &custom(8, key, value)),
            contract("", "", &format!("        {key}: {value}\n")),
            contract("", "", "").replace("status: active\n", &format!("{key}: {value}\n")),
        ];
        places.iter().any(|source| source.contains(key) && contract::compile(source).is_ok())
    })
}

/// What stands in backquotes in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Words of requests and keys, which are no words of a contract.
const OTHER: [&str; 3] = ["curl --data-binary @<file>", "<partner>/<feed>/<name>", ".xls"];

#[test]
fn every_contract_word_of_an_advice_is_one_that_the_compiler_takes() {
    let sources = [
        include_str!("../foreign.rs"),
        include_str!("../file_check.rs"),
        include_str!("../records.rs"),
        include_str!("../budget.rs"),
        include_str!("../json/document.rs"),
        include_str!("../separated/header.rs"),
    ];
    // Strings only: comments name types as well.
    let code =
        sources.iter().flat_map(|source| source.lines()).filter(|line| !line.trim_start().starts_with("//"));
    let words: Vec<&str> = code
        .chain(FaultCode::ALL.map(FaultCode::advice))
        .flat_map(quoted)
        .filter(|word| !word.contains('{') && !OTHER.contains(word))
        .collect();
    assert!(words.contains(&"delimiter: new_line") && words.len() > 8, "{words:?}");
    for word in words {
        assert!(is_accepted(word), "`{word}` is in no contract");
    }
    for word in ["jsonlines", "format: jsonlines", "maxRejected", "onError: sometimes"] {
        assert!(!is_accepted(word), "`{word}` should not be accepted");
    }
}
