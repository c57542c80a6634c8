//! What a user reads after each mistake, reviewed as one page.

use super::*;

/// One mistake in one of the sample contracts: what it is, the text to replace, and the mistake in its place.
type Mistake = (&'static str, &'static str, &'static str);

const IN_SCAN_REPORTS: &[Mistake] = &[
    ("a version of the standard that is not known", "apiVersion: v3.2.0", "apiVersion: v2.2.2"),
    ("another kind of document", "kind: DataContract", "kind: DataProduct"),
    ("no kind", "kind: DataContract", "dataProduct: scans"),
    ("no id", "id: 5a3c9f6e-0f2b-4c3e-9a44-9c6a6a0f1c11", "dataProduct: scans"),
    ("a key with a typing error", "domain: imaging", "domian: imaging"),
    ("a key that nobody knows", "domain: imaging", "colour: blue"),
    ("text that is not YAML", "domain: imaging", "domain: [imaging"),
    ("a key that stands twice", "domain: imaging", "version: 2"),
    ("a format that is not read", "format: csv", "format: parquet"),
    ("an encoding that nobody knows", "encoding: windows-1252", "encoding: latin-one"),
    ("a delimiter of two characters", "delimiter: \";\"", "delimiter: \"||\""),
    ("one character in two roles", "quote: '\"'", "quote: ';'"),
    ("a decimal separator of two characters", "quote: '\"'", "quote: '\"', decimalSeparator: ',,'"),
    ("a group separator that is a letter", "quote: '\"'", "quote: '\"', groupSeparator: x"),
    (
        "one character as decimal and as group separator",
        "quote: '\"'",
        "quote: '\"', decimalSeparator: ',', groupSeparator: ','",
    ),
    ("a group separator that is the decimal point", "quote: '\"'", "quote: '\"', groupSeparator: '.'"),
    (
        "a separator of numbers that is the delimiter, without quotes",
        "quote: '\"'",
        "quote: '', delimiter: ',', decimalSeparator: ','",
    ),
    ("a word for true and for false", "quote: '\"'", "quote: '\"', trueValues: [Y, ja], falseValues: [N, y]"),
    ("a word for false that is a default for true", "quote: '\"'", "quote: '\"', falseValues: ['1']"),
    ("no word for true", "quote: '\"'", "quote: '\"', trueValues: []"),
    ("an empty word for false", "quote: '\"'", "quote: '\"', falseValues: ['']"),
    ("a limit out of range", "maxColumns: 64", "maxDepth: 33"),
    ("a setting that does not exist", "vendor: catalog", "vendor: ingest"),
    ("a custom property with a typing error", "property: onError", "property: onErorr"),
    ("an error policy with a typing error", "skip_file_5%", "skip_file_five"),
    ("a share above all", "skip_file_5%", "skip_file_500%"),
    ("a word of a policy with a typing error", "value: supersede", "value: superseed"),
    (
        "rejects that are returned by a word",
        "value: supersede }",
        "value: supersede }\n      - { property: returnRejects, vendor: ingest, value: always }",
    ),
    (
        "two choices that do not go together",
        "value: supersede }",
        "value: supersede }\n      - { property: dedupeContent, vendor: ingest, value: true }",
    ),
    ("a schedule that is no cron expression", "0 6 * * 1-5", "6 o'clock"),
    ("a schedule of a day that does not exist", "0 6 * * 1-5", "0 6 31 feb,apr *"),
    ("a grace that no search could see", "grace: 2h", "grace: 9601h"),
    ("a time zone that does not exist", "timezone: Europe/Berlin, grace", "timezone: Europe/Berln, grace"),
    ("an order of versions by a column that is not there", "value: reported_at", "value: reportd_at"),
    (
        "a metric with a typing error",
        "metric: rowCount, mustBeGreaterThan",
        "metric: rowCont, mustBeGreaterThan",
    ),
    ("a metric without a comparison", "metric: rowCount, mustBeGreaterThan: 0", "metric: rowCount"),
    ("a metric with two comparisons", "mustBeGreaterThan: 0", "mustBeGreaterThan: 0, mustBeLessThan: 9"),
    ("a range the wrong way round", "mustBeBetween: [10, 20000]", "mustBeBetween: [20000, 10]"),
    ("a tuple of a column that is not there", "[accession, modality]", "[accession, modalty]"),
    ("a type with a typing error", "logicalType: integer", "logicalType: intger"),
    (
        "a quoted boolean",
        "urgent\n        logicalType: boolean",
        "urgent\n        required: \"yes\"\n        logicalType: boolean",
    ),
    ("lengths the wrong way round", "minLength: 6", "minLength: 60"),
    ("a look-ahead", "^[A-Z]{2}[0-9]+$", "^(?=A)[A-Z]+$"),
    ("a back-reference", "^[A-Z]{2}[0-9]+$", "^([A-Z])\\\\1$"),
    ("a broken pattern", "^[A-Z]{2}[0-9]+$", "^[A-Z{2}$"),
    ("an example that breaks its own property", "examples: [AC000123]", "examples: [ac-123]"),
    ("an option of another type", "minimum: 1, format: u16", "minLength: 1"),
    ("a machine number that does not exist", "format: u16", "format: u15"),
    ("a precision that cannot be kept", "decimal(10,3)", "decimal(40,3)"),
    ("a range into which nothing fits", "exclusiveMaximum: 1000", "exclusiveMaximum: 0"),
    ("a step of nothing", "multipleOf: 0.001", "multipleOf: 0"),
    ("a limit that is not a date of this format", "minimum: 01.01.2000", "minimum: soon"),
    ("a position that stands twice", "primaryKeyPosition: 2", "primaryKeyPosition: 1"),
    ("a key part without a position", "primaryKeyPosition: 2", "unique: false"),
    ("a gap in the positions", "primaryKeyPosition: 2", "primaryKeyPosition: 3"),
    ("a name that stands twice", "name: laterality", "name: urgent"),
    ("a label that stands twice", "physicalName: MRN", "physicalName: accession number"),
    ("a name that the table uses itself", "name: laterality", "name: pk"),
    (
        "a nested type in a separated file",
        "urgent\n        logicalType: boolean",
        "urgent\n        logicalType: object",
    ),
    (
        "an enumeration without values",
        "- { value: CT, label: Computed tomography }",
        "- { label: Computed tomography }",
    ),
    ("a rule name that stands twice", "id: known_side", "id: enough_rows"),
    ("invalid values without saying what is valid", ", arguments: { validValues: [L, R, B] }", ""),
    ("a second schema object", "slaProperties:", "  - { name: second }\nslaProperties:"),
    (
        "a source path in a separated file",
        "property: nullTokens, vendor: ingest, value: [\"n/a\", \"-\"]",
        "property: sourcePath, vendor: ingest, value: /a",
    ),
];

const IN_PATIENTS: &[Mistake] = &[
    ("a required member that is not there", "required: [city]", "required: [town]"),
    ("a path that is no JSON Pointer", "/telecom/0/value", "PID-3.1"),
    ("a flag without its limit", "minimum: 0, exclusiveMinimum: true", "exclusiveMinimum: true"),
    ("a spelling of a missing value that is of another type", "[null, -1]", "[null, unknown]"),
    (
        "members on a type without members",
        "maxItems: 100, uniqueItems: true }",
        "maxItems: 100 }\n        properties: [{ name: a, logicalType: string }]",
    ),
    (
        "a custom property of this product on a quality rule",
        "mustBeLessThan: 10,",
        "mustBeLessThan: 10, customProperties: [{ property: mask, vendor: ingest, value: drop }],",
    ),
    ("a nested primary key", "name: city, logicalType", "name: city, primaryKey: true, logicalType"),
    (
        "a CSV dialect on JSON",
        "format: ndjson",
        "format: ndjson\n    customProperties: [{ property: csvDialect, vendor: ingest, value: {} }]",
    ),
    (
        "a record path with one record per line",
        "format: ndjson",
        "format: ndjson\n    customProperties: [{ property: recordPath, vendor: ingest, value: /a }]",
    ),
];

/// Mistakes that are read as the warning says.
const WARNINGS: &[Mistake] = &[
    ("a status with a typing error", "status: deprecated", "status: depreciated"),
    ("a text format that is not checked", "format: email", "format: emial"),
    (
        "a YAML 1.1 boolean in a list of values",
        "logicalTypeOptions: { format: email }",
        "enum: [{ value: no }, { value: 'yes' }]",
    ),
    ("a number that loses its zeros elsewhere", "examples: [\"01067\"]", "examples: [01067]"),
    (
        "a year of two digits",
        "logicalType: date",
        "logicalType: date\n        logicalTypeOptions: { format: dd.MM.yy }",
    ),
    ("a property without a type", "name: contact\n        logicalType: string", "name: contact"),
    (
        "a second rule that says the same",
        "format: uuid }",
        "format: uuid }\n        quality: [{ metric: nullValues, mustBe: 0 }]",
    ),
];

/// All mistakes of a list as one page; each must be found, as an error or as a warning.
fn page(source: &str, mistakes: &[Mistake], severity: FindingSeverity) -> String {
    let mut page = String::new();
    for (title, good, bad) in mistakes {
        assert!(source.contains(good), "{title}: the sample has no {good:?}");
        let source = source.replacen(good, bad, 1);
        let findings = match compile(&source) {
            Ok((_, warnings)) => warnings,
            Err(findings) => findings,
        };
        let findings: Vec<_> = findings.into_iter().filter(|finding| finding.severity == severity).collect();
        assert!(!findings.is_empty(), "{title}: nothing found");
        page.extend(["# ", title, "\n"]);
        for finding in findings {
            page.push_str(&finding.render("feed.odcs.yaml", &source));
        }
        page.push('\n');
    }
    page
}

#[test]
fn each_mistake_in_a_csv_contract_is_found_where_it_stands() {
    insta::assert_snapshot!("mistakes_csv", page(SCAN_REPORTS, IN_SCAN_REPORTS, FindingSeverity::Error));
}

#[test]
fn each_mistake_in_a_json_contract_is_found_where_it_stands() {
    insta::assert_snapshot!("mistakes_json", page(PATIENTS, IN_PATIENTS, FindingSeverity::Error));
}

#[test]
fn rejects_that_are_returned_with_classified_values_are_a_warning_and_without_them_are_none() {
    let warned = |source: &str| {
        let warnings = compiled(source).1;
        warnings.iter().filter(|finding| finding.found.contains("returnRejects")).count()
    };
    let (on_error, returned) = (
        "{ property: onError",
        "{ property: returnRejects, vendor: ingest, value: true }\n      - { property: onError",
    );
    let source = SCAN_REPORTS.replacen(on_error, returned, 1);
    assert_ne!(source, SCAN_REPORTS);
    assert!(source.contains("classification: "), "a property of the document is classified");
    assert_eq!((warned(&source), warned(SCAN_REPORTS)), (1, 0));
    let unclassified = source.lines().filter(|line| !line.contains("classification:")).collect::<Vec<_>>();
    assert_eq!(warned(&unclassified.join("\n")), 0);
}

#[test]
fn each_likely_mistake_is_a_warning() {
    let patients: String =
        PATIENTS.split_inclusive('\n').filter(|line| !line.contains("engine: cel")).collect();
    insta::assert_snapshot!("mistakes_warned", page(&patients, WARNINGS, FindingSeverity::Warning));
}

#[test]
fn several_mistakes_are_found_in_one_run_and_in_the_order_of_the_document() {
    let source = SCAN_REPORTS
        .replace("domain: imaging", "domian: imaging")
        .replace("logicalType: boolean", "logicalType: bool")
        .replace("skip_file_5%", "skip");
    let errors: Vec<u32> = rejected(&source)
        .iter()
        .filter(|finding| finding.severity == FindingSeverity::Error)
        .map(|finding| finding.line)
        .collect();
    assert_eq!(errors.len(), 3);
    assert!(errors.is_sorted());
}

#[test]
fn a_document_that_is_no_mapping_has_one_finding_at_its_beginning() {
    for source in ["", "- a\n", "text", "null\n", "# only a remark\n"] {
        let findings = rejected(source);
        assert_eq!(findings.len(), 1, "{source:?}");
        assert!(findings[0].line >= 1 && findings[0].column >= 1);
    }
}
