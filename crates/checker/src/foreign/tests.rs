//! Files of other formats in both kinds of feed, and files that only look like them.

use std::io::Write;

use contract::{Contract, Format};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::{Foreign, HEAD_BYTES, Takes};
use crate::tests::{contract, pass};
use crate::{FaultCode, FileFault, Verdict};

const FORM: &str = "--------------------------8f1b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"day.csv\"\r\n\
                    Content-Type: text/csv\r\n\r\nid,count,note\na,1,x\n\r\n--------------------------8f1b--\r\n";

fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    header.resize(26, 0);
    header.extend_from_slice(&u16::try_from(name.len()).expect("short").to_le_bytes());
    header.extend_from_slice(&[0, 0]);
    [&header, name.as_bytes(), content].concat()
}

fn office(part: &str) -> Vec<u8> {
    // Excel pads the first members to several hundred bytes each.
    let padded = [0xa5; 800];
    [member("[Content_Types].xml", &padded), member("_rels/.rels", &padded), member(part, &padded)].concat()
}

fn tar() -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..7].copy_from_slice(b"day.csv");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(b"00000000016");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header[257..263].copy_from_slice(b"ustar\0");
    let sum = sum + "ustar".bytes().map(u32::from).sum::<u32>();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    [header, b"id,count,note\n".to_vec()].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Files that no feed takes, each with what a sender would call it.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let binary = [7, 0, 0xc3, 0x28, 0x99, b'\n', 0xff];
    let with = |signature: &[u8]| [signature, &binary].concat();
    let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0"].concat();
    vec![
        ("xlsx", office("xl/workbook.xml")),
        ("docx", office("word/document.xml")),
        ("pptx", office("ppt/presentation.xml")),
        ("office, cut early", member("[Content_Types].xml", &binary)),
        ("ods", member("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
        ("xls", with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
        ("zip", member("day.csv", b"id,count,note\n")),
        ("empty zip", with(b"PK\x05\x06")),
        ("7z", with(b"7z\xbc\xaf\x27\x1c")),
        ("rar", with(b"Rar!\x1a\x07\x01")),
        ("tar", tar()),
        ("bzip2", with(b"BZh91AY&SY")),
        ("xz", with(b"\xfd7zXZ\0")),
        ("lz4", with(b"\x04\x22\x4d\x18")),
        ("gzip in gzip", gzip(&gzip(b"id,count,note\n"))),
        ("zstd in gzip", gzip(&zstd::stream::encode_all(&b"id,count,note\n"[..], 3).expect("memory"))),
        ("parquet", with(b"PAR1\x15\x04")),
        ("parquet of another writer", with(b"PAR1\x28")),
        ("orc", with(b"ORC")),
        ("avro", with(b"Obj\x01\x04\x16avro.schema")),
        ("arrow", with(b"ARROW1\0\0")),
        ("hdf5", with(b"\x89HDF\r\n\x1a\n")),
        ("sqlite", with(b"SQLite format 3\0")),
        ("dicom", dicom),
        ("dicom without preamble", with(b"DICM\x02\0\0\0UL")),
        ("pdf", with(b"%PDF-1.7\n")),
        ("rtf", b"{\\rtf1\\ansi Report}".to_vec()),
        ("jpeg", with(b"\xff\xd8\xff\xe0")),
        ("png", with(b"\x89PNG\r\n\x1a\n")),
        ("html", b"<html>\n<body>502 Bad Gateway</body>\n</html>\n".to_vec()),
        ("html with a declaration", b"\xef\xbb\xbf\r\n<!DOCTYPE html>\n<html lang=\"en\">\n".to_vec()),
        ("xhtml", b"<?xml version=\"1.0\"?>\n<html xmlns=\"a\"></html>".to_vec()),
        ("xml", b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows><row id=\"1\"/></rows>\n".to_vec()),
        ("xml without a declaration", b"<rows>\n<row/>\n</rows>\n".to_vec()),
        ("xml in utf-16", [vec![0xff, 0xfe], utf_16("<?xml version=\"1.0\"?><a/>")].concat()),
        ("hl7", b"MSH|^~\\&|LAB|NORTH|EHR|SOUTH|20261127||ORU^R01|1|P|2.5\rPID|1||1\r".to_vec()),
        ("hl7 over mllp", b"\x0bMSH|^~\\&|LAB|NORTH|EHR|SOUTH\rPID|1\r\x1c\r".to_vec()),
        ("hl7 batch", b"FHS|^~\\&|LAB|NORTH\rBHS|^~\\&|LAB\r".to_vec()),
        (
            "x12",
            b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *261127*1200*^*00501*1*0*P*:~\n"
                .to_vec(),
        ),
        ("edifact", b"UNA:+.? 'UNB+UNOC:3+SENDER+RECEIVER'".to_vec()),
        ("pgp", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n".to_vec()),
        ("multipart form", FORM.as_bytes().to_vec()),
        ("form", b"file=id%2Ccount%2Cnote%0Aa%2C1%2Cx%0A".to_vec()),
        ("form of fields", b"id=a&count=1&note=x".to_vec()),
    ]
}

fn fault(contract: Contract, file: &[u8]) -> FileFault {
    let (_, summary) = pass(contract, file);
    assert_eq!(summary.verdict, Verdict::Rejected);
    summary.fault.expect("a rejected file has a fault")
}

fn json(lines: bool) -> Contract {
    let format = if lines { Format::JsonLines } else { Format::Json { record_path: Vec::new() } };
    Contract { format, ..contract() }
}

fn told(fault: &FileFault) -> String {
    format!("{} {}\n    {}\n", fault.code.as_str(), fault.message(), fault.advice)
}

#[test]
fn a_file_of_another_format_is_called_by_its_name() {
    let mut page = String::new();
    for (name, file) in files() {
        let fault = fault(contract(), &file);
        assert_eq!(fault.code, FaultCode::WrongFormat, "{name}: {fault:?}");
        page.extend([name, ": ", &told(&fault)]);
    }
    insta::assert_snapshot!(page);
}

#[test]
fn it_has_the_same_name_compressed_and_in_every_feed() {
    for (name, file) in files() {
        for make in [contract, || json(true), || json(false)] {
            let plain = fault(make(), &file);
            assert_eq!(plain.code, FaultCode::WrongFormat, "{name}: {plain:?}");
            if !name.ends_with("gzip") {
                assert_eq!(fault(make(), &gzip(&file)), plain, "{name}");
                let zstd = zstd::stream::encode_all(&file[..], 3).expect("memory");
                assert_eq!(fault(make(), &zstd), plain, "{name}");
            }
        }
    }
}

#[test]
fn json_in_a_csv_feed_and_csv_in_a_json_feed_are_named() {
    let array = b"[\n  {\"id\": \"a\"},\n  {\"id\": \"b\"}\n]\n";
    let object = b"{\n  \"id\": \"a\",\n  \"count\": 1\n}\n";
    let lines = b"{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    let mut page = String::new();
    let mut add = |name: &str, contract: Contract, file: &[u8]| {
        let fault = fault(contract, file);
        assert_eq!(fault.code, FaultCode::WrongFormat, "{name}: {fault:?}");
        page.extend([name, ": ", &told(&fault)]);
    };
    for (name, file) in [("array", &array[..]), ("object", object), ("lines", lines)] {
        add(&format!("{name} in a CSV feed"), contract(), file);
    }
    add("array in an NDJSON feed", json(true), array);
    add("object in an NDJSON feed", json(true), object);
    for (name, file) in [
        ("the contract's columns", &b"id,count,note\na,1,x\n"[..]),
        ("one column", b"id\na\nb\n"),
        ("quoted columns", b"\"id\";\"count\"\n\"a\";1\n"),
        ("other columns", b"mrn\tdate\n1\t2\n"),
    ] {
        add(&format!("{name} in an NDJSON feed"), json(true), file);
        add(&format!("{name} in a JSON feed"), json(false), file);
    }
    insta::assert_snapshot!(page);
}

#[test]
fn utf_16_without_a_mark_is_named_whatever_its_letters() {
    for text in ["id,count,note\na,1,x\n", "имя,число,1,2\nа,1,2,3\n"] {
        let fault = fault(contract(), &utf_16(text));
        assert_eq!(fault.code, FaultCode::Encoding);
        assert_eq!(fault.found, "UTF-16 (little endian) without a byte order mark");
    }
}

#[test]
fn what_is_wrong_in_a_csv_file_is_still_said() {
    for (file, code) in [
        (&b"name;amount\na;1\n"[..], FaultCode::Header),
        (b"mrn,date\n1,2\n", FaultCode::Header),
        (b"<5,>10\n1,2\n", FaultCode::Header),
        (b"<Patient ID>,<Date>\n1,2\n", FaultCode::Header),
        (b"id,count\na,1\n", FaultCode::MissingColumn),
        (b"id,count,note\n,1,x\n", FaultCode::ErrorBudget),
        (b"id,count,note\n<html>,x,y\n", FaultCode::ErrorBudget),
    ] {
        assert_eq!(fault(contract(), file).code, code, "{}", String::from_utf8_lossy(file));
    }
    assert_eq!(fault(contract(), &gzip(&office("xl/workbook.xml"))[..60]).code, FaultCode::Truncated);
    for file in [&b"{\"id\":1}\n"[..], b"{\"id\":\"a\n", b"null\n"] {
        assert_eq!(fault(json(true), file).code, FaultCode::ErrorBudget);
    }
    assert_eq!(fault(json(false), b"{\"id\" \"a\"}").code, FaultCode::ErrorBudget);
    assert_eq!(fault(json(false), b"[{\"id\":\"a\"} x]").code, FaultCode::Json);
}

#[test]
fn two_json_documents_in_a_file_name_the_word_of_the_contract_that_reads_them() {
    for (file, advice) in [
        (
            &b"{\"id\":\"a\"}\n{\"id\":\"b\"}\n"[..],
            "the file has one JSON document on each line; the contract can say `delimiter: new_line`",
        ),
        (
            b"{\n\"id\":\"a\"\n}\n{\n\"id\":\"b\"\n}\n",
            "put the records into one array, with commas between them",
        ),
        (b"[{\"id\":\"a\"}] x", FaultCode::Json.advice()),
    ] {
        let fault = fault(json(false), file);
        assert_eq!((fault.code, fault.advice.as_ref()), (FaultCode::Json, advice));
        assert_eq!(
            fault.message(),
            "found text after the end of the JSON document, expected one JSON document"
        );
    }
}

/// Labels that begin as another format does.
const LABELS: [&str; 13] = [
    "<id>",
    "<html>",
    "<?xml",
    "{\"id\"",
    "[1",
    "MSH|^~\\&|",
    "--b",
    "%PDF-1.7",
    "ORC",
    "PAR1",
    "BZh9",
    "GIF8",
    "ISA*00*",
];

fn labelled(label: &str) -> Contract {
    let mut contract = contract();
    label.clone_into(&mut contract.columns[0].physical_name);
    contract
}

fn quoted(label: &str) -> String {
    format!("\"{}\"", label.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn a_header_that_the_contract_names_is_never_called_wrong(
        label in prop::sample::select(&LABELS[..]),
        records in prop::collection::vec("[a-z<>{}\\[\\]\"=&%|]{0,5},[0-9a-z]{0,2},[a-z\0]{0,3}", 1..8),
    ) {
        let file = format!("{},count,note\n{}\n", quoted(label), records.join("\n"));
        let (_, summary) = pass(labelled(label), file.as_bytes());
        prop_assert_ne!(summary.fault.map(|fault| fault.code), Some(FaultCode::WrongFormat));
    }

    #[test]
    fn a_file_of_which_a_record_is_loaded_is_never_called_wrong(
        label in prop::sample::select(&LABELS[..]),
        lines in prop::collection::vec("[a-z<>{}\\[\\]\"=&%|,]{0,12}", 0..8),
    ) {
        let mut contract = contract();
        if let Format::Separated(dialect) = &mut contract.format {
            dialect.header = false;
        }
        let file = format!("{}\n{label},1,x\n{},1,x\n", lines.join("\n"), quoted(label));
        let (kept, summary) = pass(contract, file.as_bytes());
        if !kept.rows.is_empty() {
            prop_assert_ne!(summary.fault.map(|fault| fault.code), Some(FaultCode::WrongFormat));
        }
    }

    #[test]
    fn no_text_is_certainly_another_format(text: String) {
        prop_assert_eq!(Foreign::certain(text.replace(char::is_control, " ").as_bytes()), None);
    }

    #[test]
    fn no_head_makes_it_panic(
        (_, signature) in prop::sample::select(files()),
        kept in 0_usize..600,
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let head = [&signature[..kept.min(signature.len())], &bytes].concat();
        for make in [contract, || json(true), || json(false)] {
            let foreign = Foreign::certain(&head).or_else(|| Foreign::likely(&head, &make()));
            let named = foreign.map(|foreign| foreign.fault(Takes::of(&make().format)));
            prop_assert!(named.is_none_or(|fault| fault.code == FaultCode::WrongFormat));
            pass(make(), &head);
        }
        prop_assert!(head.len() <= 2 * HEAD_BYTES);
    }
}
