//! What is planted where: the columns of every contract, and files that are wrong in every way that is known.
//! Templates are those of [`Planter`].

use super::canary_values::Planter;

/// How often each column's values are planted.
const COPIES: usize = 9;
/// Good rows for each bad one of a file that is loaded in spite of them.
const GOOD_FOR_A_BAD_ONE: usize = 24;

/// A column by its name in files: a good value, and what is planted in it. In JSON feeds values are JSON.
pub(super) struct PlantedColumn {
    pub(super) name: &'static str,
    good: &'static str,
    planted: &'static [&'static str],
    /// Where the contract's mask hides the value: a good value that is planted.
    masked: Option<&'static str>,
}

const fn column(name: &'static str, good: &'static str, planted: &'static [&'static str]) -> PlantedColumn {
    PlantedColumn { name, good, planted, masked: None }
}

const fn masked(
    name: &'static str,
    good: &'static str,
    masked: &'static str,
    planted: &'static [&'static str],
) -> PlantedColumn {
    PlantedColumn { name, good, planted, masked: Some(masked) }
}

/// A feed with a sample contract, or that of `fixtures/scans`.
pub(super) struct PlantedFeed {
    pub(super) name: &'static str,
    form: PlantedForm,
    pub(super) columns: &'static [PlantedColumn],
}

enum PlantedForm {
    Separated(char),
    Lines,
    Document,
}

/// A file to drop: its name below `<partner>/`, and its bytes.
pub(super) type File = (String, Vec<u8>);

pub(super) const FEEDS: [PlantedFeed; 5] = [
    PlantedFeed {
        name: "scan-reports",
        form: PlantedForm::Separated(','),
        columns: &[
            column("report_id", "RPT-1#######", &["<RPT-9753####>", "<W>", "RPT-<W>", " <W> "]),
            column("accession_number", "1#########", &["<975318####>", "<W>"]),
            masked("patient_id", "MRN1######", "<MRN975####>", &["<MRN975####>", "<W>", "MRN1234567<W>"]),
            masked(
                "patient_birth_date",
                "1970-0%-1%",
                "<19##-0%-1%>",
                &["<19##-0%-1%>", "<18##-0%-1%>", "<W>", "1970-02-30 <W>"],
            ),
            column("patient_sex", "F", &["<W>"]),
            column("modality", "CT", &["<W>"]),
            column(
                "body_part",
                "CHEST",
                &["<QJXWVZ^^^^>", "<W>", "CHEST <QJXWVZA^^^^> OR ANOTHER PART OF IT"],
            ),
            column("study_date", "2026-03-04", &["<21##-0%-1%>", "<16##-0%-1%>", "<W>"]),
            column("study_time", "12:34:56", &["<W>", "12:34:56 <W>"]),
            column(
                "reported_at",
                "2026-03-04T10:11:12+01:00",
                &["<17##-0%-1%>T10:11:12+00:00", "<W>", "2026-03-04T99:11:12<W>"],
            ),
            column("image_count", "12", &["<97531####>", "-<97532####>", "<W>"]),
            column(
                "dose_length_product",
                "1.5",
                &["<9753.##%>", "<97531.###>", "<0.9753####>", "<W>", "1e<W>"],
            ),
            column("contrast_agent", "true", &["<W>"]),
            masked("radiologist", "Dr. One", "Dr. <W>", &["Dr. <W>", "<W>, Zoë \"Z\"", "<W>~"]),
            column("findings", "none", &["first <W>", "a line\nand <W>", "=cmd|'<W>'", "<W>~"]),
        ],
    },
    PlantedFeed {
        name: "patients",
        form: PlantedForm::Lines,
        columns: &[
            column(
                "id",
                "\"MRN1######\"",
                &["\"<MRN8642###>\"", "\"<W>\"", "<86421####>", "[\"<W>\"]", "{\"<W>\":1}"],
            ),
            masked(
                "name",
                "{\"family\":\"Mayer\",\"given\":\"Anna\"}",
                "{\"family\":\"<W>\",\"given\":\"<W>\"}",
                &[
                    "{\"family\":\"<W>\",\"given\":\"<W>\"}",
                    "{\"family\":\"\",\"given\":\"<W>\"}",
                    "\"<W>\"",
                    "{\"given\":\"<W>\"}",
                    "{\"family\":\"A\",\"<W>\":\"b\"}",
                    "{\"family\":\"A\",\"family\":\"<W>\"}",
                    "{\"family\":{\"<W>\":[\"<W>\"]}}",
                ],
            ),
            masked(
                "birthDate",
                "\"1970-01-02\"",
                "\"<19##-0%-2%>\"",
                &["\"<19##-0%-2%>\"", "\"<15##-0%-1%>\"", "\"<W>\""],
            ),
            column("sex", "\"F\"", &["\"<W>\"", "{\"<W>\":\"F\"}"]),
            masked("postalCode", "\"12345\"", "\"12345\"", &["\"1234<W>\"", "<86424####>"]),
            column("weightKg", "70.5", &["<86420#.##%>", "\"<W>\"", "<0.8642####>", "<86425####>e999"]),
            column("implants", "[]", &["[\"<W>\"]", "[\"\",\"<W>\"]", "{\"<W>\":true}", "[[\"<W>\"]]"]),
            column(
                "updatedAt",
                "\"2026-03-04T10:11:12+01:00\"",
                &["\"<14##-0%-1%>T00:00:00+00:00\"", "\"<W>\""],
            ),
        ],
    },
    PlantedFeed {
        name: "charges",
        form: PlantedForm::Separated(';'),
        columns: &[
            column("Auftrag", "1#########", &["<864212####>", "<W>"]),
            column("Position", "1", &["<86423####>", "<W>"]),
            column("Leistungsdatum", "05.03.2026", &["<W>", "31.02.2026<W>"]),
            column("Leistung", "MRT", &["<W> für zwölf", "\u{a0}<W>", "<W>~"]),
            column("Betrag", "12.50", &["<864213##.#%>", "-<86426###>", "<W>"]),
        ],
    },
    PlantedFeed {
        name: "appointments",
        form: PlantedForm::Document,
        columns: &[
            column("slot", "\"AB#-###\"", &["\"<QJ#-###>\"", "\"<W>\""]),
            column("start", "\"2026-03-04T10:11:12+01:00\"", &["\"<13##-0%-1%>T00:00:00+00:00\"", "\"<W>\""]),
            column("minutes", "30", &["<86422####>", "\"<W>\""]),
            masked("patient", "\"MRN1######\"", "\"<MRN7531###>\"", &["\"<MRN7531###>\"", "\"<W>\""]),
            column("region", "\"chest\"", &["\"<W>\"", "\"<W>~\""]),
        ],
    },
    PlantedFeed {
        name: "scans",
        form: PlantedForm::Separated(','),
        columns: &[
            column("accession", "AB######", &["<QX9753##>", "<W>"]),
            column("patient", "Jane", &["<W>", "<W>~"]),
            column("modality", "CT", &["<W>"]),
            column("scanned_on", "2026-03-04", &["<12##-0%-1%>", "<W>"]),
            column("dose", "1.5", &["<9753124680.###%>", "-<97535###>", "<W>"]),
            column("note", "fine", &["<W>", "\t<W>\r\n"]),
        ],
    },
];

impl PlantedFeed {
    /// Returns a file with every plant of every column, a file of mostly good records, and a file of good ones only.
    pub(super) fn files(&self, planter: &mut Planter) -> Vec<File> {
        let every: Vec<String> = (0..COPIES).flat_map(|_| self.planted_records(planter)).collect();
        let mut mixed = Vec::new();
        for record in self.planted_records(planter) {
            mixed.extend((0..GOOD_FOR_A_BAD_ONE).map(|_| self.record(planter, None)));
            mixed.push(record);
        }
        let good: Vec<String> = (0..10).map(|_| self.record(planter, None)).collect();
        let file = |name: &str, records: &[String]| (format!("{}/{name}", self.name), self.document(records));
        let mut files = vec![file("every", &every), file("mixed", &mixed), file("good", &good)];
        if self.columns.iter().any(|column| column.masked.is_some()) {
            let masked: Vec<String> = (0..10).map(|_| self.masked_record(planter)).collect();
            files.push(file("masked", &masked));
        }
        files
    }

    fn planted_records(&self, planter: &mut Planter) -> Vec<String> {
        let plants = self
            .columns
            .iter()
            .flat_map(|column| column.planted.iter().map(move |plant| (column.name, *plant)));
        plants.map(|plant| self.record(planter, Some(plant))).collect()
    }

    /// Returns a record with one column planted, or a good one.
    fn record(&self, planter: &mut Planter, with: Option<(&str, &str)>) -> String {
        self.record_of(planter, |column| {
            with.filter(|(name, _)| *name == column.name).map_or(column.good, |(_, plant)| plant)
        })
    }

    /// Returns a good record that is planted in every column whose mask hides the value.
    fn masked_record(&self, planter: &mut Planter) -> String {
        self.record_of(planter, |column| column.masked.unwrap_or(column.good))
    }

    fn record_of<'t>(&self, planter: &mut Planter, template: impl Fn(&PlantedColumn) -> &'t str) -> String {
        let cell = |column: &PlantedColumn| {
            let template = template(column);
            let cell = if column.masked.is_some() {
                planter.plant_masked(template)
            } else {
                planter.plant(template)
            };
            match self.form {
                PlantedForm::Separated(mark) => quoted(&cell, mark),
                PlantedForm::Lines | PlantedForm::Document => format!("\"{}\":{cell}", column.name),
            }
        };
        let cells: Vec<String> = self.columns.iter().map(cell).collect();
        match self.form {
            PlantedForm::Separated(mark) => cells.join(&mark.to_string()),
            PlantedForm::Lines | PlantedForm::Document => format!("{{{}}}", cells.join(",")),
        }
    }

    fn document(&self, records: &[String]) -> Vec<u8> {
        match self.form {
            PlantedForm::Separated(';') => {
                windows_1252(&format!("{}{}\n", self.header(), records.join("\n")))
            }
            PlantedForm::Separated(_) => format!("{}{}\n", self.header(), records.join("\n")).into_bytes(),
            PlantedForm::Lines => (records.join("\n") + "\n").into_bytes(),
            PlantedForm::Document => plan(&records.join(",")).into_bytes(),
        }
    }

    fn header(&self) -> String {
        let PlantedForm::Separated(mark) = self.form else { return String::new() };
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(&mark.to_string()) + "\n"
    }
}

fn plan(records: &str) -> String {
    format!("{{\"plan\":{{\"appointments\":[{records}]}}}}")
}

fn quoted(cell: &str, mark: char) -> String {
    if cell.contains(['"', '\n', '\r', mark]) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Returns the text in windows-1252, of whose letters beyond ASCII only those of Latin-1 are planted.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("a letter of Latin-1")).collect()
}

/// Files that are wrong as files: structure, encoding, compression, limits, contract.
pub(super) fn broken_files(planter: &mut Planter) -> Vec<File> {
    let [reports, patients, charges, appointments, _] = &FEEDS;
    let (mut files, mut count) = (Vec::new(), 0);
    let mut add = |feed: &str, ending: &str, bytes: Vec<u8>| {
        count += 1;
        files.push((format!("{feed}/broken-{count}{ending}"), bytes));
    };
    for text in separated_texts(reports, planter) {
        add(reports.name, ".csv", text.into_bytes());
    }
    for text in line_texts(patients, planter) {
        add(patients.name, ".ndjson", text.into_bytes());
    }
    for text in document_texts(appointments, planter) {
        add(appointments.name, ".json", text.into_bytes());
    }
    let row = |planter: &mut Planter| planter.plant("MRN<W>,<W> <W>,<W>\n");
    let header = reports.header();
    // Bytes that are no text, beside a value.
    let text = format!("{header}{}", row(planter));
    for [from, to] in [[&b"MRN"[..], b"\xff\xfe\xf0"], [b",", b"\xc3,"], [b" ", b"\0\x1b"]] {
        add(reports.name, ".csv", replaced(text.as_bytes(), from, to));
    }
    add(charges.name, ".csv", replaced(&charges.document(&[row(planter)]), b"MRN", b"\x81\x8d\x9d"));
    let wide = format!("{header}{}", row(planter));
    let wide = |bytes: fn(u16) -> [u8; 2]| {
        "\u{feff}".encode_utf16().chain(wide.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
    };
    add(reports.name, ".csv", wide(u16::to_le_bytes));
    add(reports.name, ".csv", [wide(u16::to_be_bytes), vec![0x22]].concat());
    // Archives that break off, lie, or go on.
    let packed = super::files::gzip(
        format!("{header}{}", (0..40).map(|_| row(planter)).collect::<String>()).as_bytes(),
    );
    add(reports.name, ".csv.gz", packed[..packed.len() - 20].to_vec());
    let mut lying = packed.clone();
    if let Some(last) = lying.last_mut() {
        *last ^= 0x55;
    }
    add(reports.name, ".csv.gz", lying);
    add(reports.name, ".csv.gz", [packed, planter.word().into_bytes()].concat());
    add(reports.name, ".csv.gz", format!("{header}{}", row(planter)).into_bytes());
    // No contract, and one that says nothing usable.
    add("nobodys", ".csv", row(planter).into_bytes());
    add("unusable", ".csv", row(planter).into_bytes());
    files
}

fn separated_texts(feed: &PlantedFeed, planter: &mut Planter) -> Vec<String> {
    let header = feed.header();
    let good = feed.record(planter, None);
    let mut texts: Vec<String> = [
        // Too many and too few cells, comments, stray and open quotes.
        "H\nG,<W>,<W>\n<W>\n<W>,<W>\n",
        "H\n§<W>\n§ a comment with <W>\nG\n",
        "H\n\"<W>\"x<W>,b\n\"<W>\" ,c\n<W>\"<W>\n",
        "H\nG\n\"open <W>,\n<W>\nG\n",
        "H\n\"<W>\u{b}\u{c}\u{7f}\"\n",
        // Headers: names that nobody knows, twice, and rows where the names should be.
        "<W>,H\n<W>,G\n",
        "<W>,<W>,<W>\n1,2,3\n",
        "<W>,<W>\u{1F600},<MRN9750####>\n",
        "report_id,report_id,<W>\nG\n",
        "<W>\n<W>\n",
        "\"<W>\n",
        "H;<W>\nG\n",
    ]
    .iter()
    .map(|template| {
        planter.plant(&template.replace('H', header.trim_end()).replace('G', &good)).replace('§', "#")
    })
    .collect();
    // The same key, and the same unique value, twice.
    for column in ["report_id", "accession_number"] {
        let plant = feed.columns.iter().find(|each| each.name == column).expect("a column").planted[0];
        let record = feed.record(planter, Some((column, plant)));
        texts.push(format!("{header}{record}\n{record}\n"));
    }
    // Over the limits of the contract: bytes of a record, columns.
    let row = |planter: &mut Planter, cells: usize| {
        (0..cells).map(|_| planter.word()).collect::<Vec<_>>().join(",")
    };
    texts.push(
        planter.plant("H\n<W>,K\n<W>\n").replace('H', header.trim_end()).replace('K', &"k".repeat(70_000)),
    );
    texts.push(format!("{header}{}\n", row(planter, 70)));
    texts.push(row(planter, 70) + "\n" + &row(planter, 2) + "\n");
    texts
}

fn line_texts(feed: &PlantedFeed, planter: &mut Planter) -> Vec<String> {
    let good = feed.record(planter, None);
    let (open, close) = ("[".repeat(40), "]".repeat(40));
    let mut texts: Vec<String> = [
        // Members that nobody knows, that stand there twice, that lie deep.
        "G,\"<W>\":\"<W>\"}\n",
        "G,\"id\":\"<W>\"}\n",
        "G,\"<W>\":1,\"<W>\":2}\n",
        "G,\"x\":O\"<W>\"C}\n",
        // Lines that are no JSON, and JSON that is no record.
        "{\"id\":\"<W>\n",
        "{\"id\":\"<W>\",}\n{'id':'<W>'}\n{id:<W>}\n",
        "<W>\n\"<W>\"\n[\"<W>\"]\n<97533####>\n",
        "{\"id\":\"\\ud800<W>\",\"sex\":\"\\x<W>\"}\n",
        "{\"<W>\":\"<W>\"} {\"<W>\":2}\n{\"id\":\"<W>\"}<W>\n",
        "// <W>\nG}\n",
        "{\"weightKg\":<97534###>.}\n{\"weightKg\":<W>}\n{\"weightKg\":NaN<W>}\n",
    ]
    .iter()
    .map(|template| {
        planter.plant(
            &template.replace('O', &open).replace('C', &close).replace('G', good.trim_end_matches('}')),
        )
    })
    .collect();
    let escaped = planter.word().bytes().map(|byte| format!("\\u{byte:04x}")).collect::<Vec<_>>().concat();
    texts.push(format!("{{\"id\":\"{escaped}\"}}\n"));
    texts
}

fn document_texts(feed: &PlantedFeed, planter: &mut Planter) -> Vec<String> {
    let good = feed.record(planter, None);
    [
        "{\"<W>\":{\"appointments\":[]}}",
        "{\"plan\":\"<W>\"}",
        "{\"plan\":{\"appointments\":{\"<W>\":1}}}",
        "[{\"<W>\":\"<W>\"}]",
        "{\"plan\":{\"appointments\":[G,\"<W>\",<97536####>,[\"<W>\"]]}}",
        "{\"plan\":{\"appointments\":[G]}}<W>",
        "{\"plan\":{\"<W>\":\"<W>\",\"appointments\":[{\"slot\":\"<W>\"",
        "<W>",
    ]
    .iter()
    .map(|template| planter.plant(&template.replace('G', &good)))
    .collect()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out
}

#[test]
fn every_column_of_every_contract_is_planted() {
    let column = crate::tidy::regex(r"(?m)^ {6}- name: (\w+)\n(?: {8}physicalName: (\w+))?");
    let contracts = crate::repository::files().into_iter().filter(|path| path.ends_with(".odcs.yaml"));
    let contracts: Vec<String> = contracts
        .filter(|path| path.starts_with("infra/contracts/") || path.starts_with("tests/fixtures/"))
        .collect();
    assert_eq!(contracts.len(), FEEDS.len());
    for path in contracts {
        let text = crate::repository::text(&path);
        let id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("a contract has an id");
        let feed = FEEDS.iter().find(|feed| feed.name == id).unwrap_or_else(|| panic!("{id} is not planted"));
        let planted: Vec<&str> = feed.columns.iter().map(|column| column.name).collect();
        let own =
            column.captures_iter(&text).map(|found| found.get(2).or(found.get(1)).expect("a name").as_str());
        assert_eq!(own.collect::<Vec<_>>(), planted, "{path}");
        assert!(feed.columns.iter().all(|column| !column.planted.is_empty()));
        let (contract, _) = contract::compile(&text).expect("a sample compiles");
        for (column, planted) in contract.columns.iter().zip(feed.columns) {
            assert_eq!(column.mask.hides(), planted.masked.is_some(), "{path}: {}", planted.name);
        }
    }
}
