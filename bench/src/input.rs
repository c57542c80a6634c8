//! The input: the same bytes at every run, as CSV and as JSON lines with the same values.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

const HEADER: &str = "accession,patient_id,modality,body_part,scanned_on,reported_on,radiologist,dose,slices,seconds,urgent,priority,device,study_uid,report";
/// Words of the free text: common English, two with a comma, so that a CSV cell needs its quotes.
const WORDS: [&str; 24] = [
    "no",
    "acute",
    "fracture,",
    "seen",
    "in",
    "the",
    "left",
    "upper",
    "lobe",
    "stable",
    "since",
    "prior",
    "study,",
    "mild",
    "change",
    "without",
    "effusion",
    "recommend",
    "follow-up",
    "within",
    "six",
    "months",
    "heart",
    "normal",
];
/// Length at which the free text ends, in bytes.
const TEXT_BYTES: usize = 115;
/// Every n-th free text contains quotes, which are doubled in CSV.
const QUOTED: u64 = 10;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputFormat {
    Csv,
    JsonLines,
}

impl InputFormat {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "ndjson",
        }
    }
}

impl FromStr for InputFormat {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "csv" => Ok(Self::Csv),
            "ndjson" => Ok(Self::JsonLines),
            other => bail!("the format `{other}` found, csv or ndjson expected"),
        }
    }
}

/// A generated file; removed with this value.
pub(crate) struct TemporaryFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: u32,
}

impl TemporaryFile {
    pub(crate) fn create(format: InputFormat, rows: u32) -> Result<Self> {
        let name = format!("bench-{}-{rows}.{}", std::process::id(), format.word());
        let file = Self { path: std::env::temp_dir().join(name), rows };
        let output = File::create(&file.path).with_context(|| format!("create {}", file.path.display()))?;
        let mut output = BufWriter::new(output);
        write_file(&mut output, format, 0..rows)?;
        output.flush().context("write the input")?;
        Ok(file)
    }

    pub(crate) fn bytes(&self) -> Result<u64> {
        Ok(fs::metadata(&self.path).context("measure the input")?.len())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // A file that stays in the temporary folder is no reason to fail.
        drop(fs::remove_file(&self.path));
    }
}

/// Writes a whole file of the records with these numbers.
pub(crate) fn write_file(output: &mut impl Write, format: InputFormat, numbers: Range<u32>) -> Result<()> {
    if format == InputFormat::Csv {
        writeln!(output, "{HEADER}")?;
    }
    let mut random = SplitMix64(0x5CA1_AB1E);
    for number in numbers {
        write_record(output, format, number, &mut random)?;
    }
    Ok(())
}

fn write_record(
    output: &mut impl Write,
    format: InputFormat,
    number: u32,
    random: &mut SplitMix64,
) -> Result<()> {
    let patient = random.below(100_000_000);
    let modality = ["CT", "MR", "US", "XR"][random.index(4)];
    let body_part = ["chest", "abdomen", "knee", "lumbar spine", "head"][random.index(5)];
    let (month, day) = (random.below(12) + 1, random.below(28) + 1);
    let radiologist = ["Dr. Osei", "Dr. Lindqvist", "Dr. Moreau", "Dr. Tanaka"][random.index(4)];
    let (dose, thousandths) = (random.below(2_000), random.below(1_000));
    let (slices, seconds, tenths) = (random.below(1_200) + 1, random.below(900), random.below(10));
    let (urgent, priority, device) =
        (random.below(10) == 0, random.below(5) + 1, random.next() & 0xFFFF_FFFF);
    // A DICOM unique identifier of the greatest length, 64 characters (PS3.5 section 9.1).
    let study = format!(
        "1.2.840.113619.2.55.3.9{:09}.1{number:09}.1{:019}",
        random.below(1_000_000_000),
        random.next() / 2
    );
    let text = free_text(random);
    let quote = match (random.below(QUOTED), format) {
        (0, InputFormat::Csv) => " \"\"ok\"\"",
        (0, InputFormat::JsonLines) => " \\\"ok\\\"",
        _ => "",
    };
    match format {
        InputFormat::Csv => writeln!(
            output,
            "AC{number:010},MRN{patient:08},{modality},{body_part},2026-{month:02}-{day:02},2026-{month:02}-{day:02},{radiologist},{dose}.{thousandths:03},{slices},{seconds}.{tenths},{urgent},{priority},SN-{device:08X},{study},\"{text}{quote}\""
        )?,
        InputFormat::JsonLines => writeln!(
            output,
            r#"{{"accession":"AC{number:010}","patient_id":"MRN{patient:08}","modality":"{modality}","body_part":"{body_part}","scanned_on":"2026-{month:02}-{day:02}","reported_on":"2026-{month:02}-{day:02}","radiologist":"{radiologist}","dose":{dose}.{thousandths:03},"slices":{slices},"seconds":{seconds}.{tenths},"urgent":{urgent},"priority":{priority},"device":"SN-{device:08X}","study_uid":"{study}","report":"{text}{quote}"}}"#
        )?,
    }
    Ok(())
}

fn free_text(random: &mut SplitMix64) -> String {
    let mut text = String::with_capacity(TEXT_BYTES + 16);
    while text.len() < TEXT_BYTES {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(WORDS[random.index(WORDS.len())]);
    }
    text
}

/// SplitMix64 (Steele, Lea, Flood 2014): a number from a seed, the same on every machine.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or_default()
    }
}
