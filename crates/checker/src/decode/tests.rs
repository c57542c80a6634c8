//! Hazards P1, P2, P29 to P34, and the properties of the decoder.

use std::io::Write;

use contract::{Limits, TextEncoding};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use proptest::prelude::*;

use super::{Decoder, STEP_BYTES};
use crate::fixture::LIMITS;
use crate::foreign::Takes;
use crate::{FaultCode, FileFault};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 3).expect("memory")
}

/// Decodes blocks as an engine does, and checks the bound of each call.
fn decode_as<'a>(
    limits: Limits,
    encoding: Option<TextEncoding>,
    blocks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, FileFault> {
    let mut decoder = Decoder::new(limits, encoding, Takes::Separated(b','));
    let (mut text, mut out) = (Vec::new(), Vec::new());
    for block in blocks {
        let mut rest = block;
        loop {
            if decoder.is_plain() {
                decoder.pass(rest)?;
                text.extend_from_slice(rest);
                break;
            }
            let step = decoder.decode(rest, &mut out)?;
            assert!(out.len() <= STEP_BYTES);
            text.extend_from_slice(&out);
            rest = &rest[step.consumed..];
            if rest.is_empty() && !step.pending {
                break;
            }
        }
    }
    loop {
        let pending = decoder.finish(&mut out)?;
        assert!(out.len() <= STEP_BYTES);
        text.extend_from_slice(&out);
        if !pending {
            return Ok(text);
        }
    }
}

fn decode<'a>(blocks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, FileFault> {
    decode_as(LIMITS, None, blocks)
}

fn code(bytes: &[u8]) -> Option<FaultCode> {
    decode([bytes]).err().map(|fault| fault.code)
}

fn declared(label: &str) -> Option<TextEncoding> {
    encoding_rs::Encoding::for_label(label.as_bytes()).map(TextEncoding)
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_byte_order_mark_is_dropped_whatever_the_blocks() {
    let text = b"\xef\xbb\xbfid,name\n";
    for size in 1..=text.len() {
        assert_eq!(decode(text.chunks(size)).as_deref(), Ok(&b"id,name\n"[..]));
    }
    assert_eq!(decode([&b"\xef\xbb\xbf"[..]]).as_deref(), Ok(&b""[..]));
}

#[test]
fn short_files_pass_unchanged() {
    for text in [&b""[..], b"a", b"ab", b"abc", b"abcd", b"\xef\xbb"] {
        assert_eq!(decode(text.chunks(1)).as_deref(), Ok(text));
    }
}

#[test]
fn utf_16_with_a_mark_is_transcoded() {
    let text = "id,name\n1,Zoë 😀\n";
    let bytes = utf16(text, true);
    let swapped: Vec<u8> = bytes.chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
    for size in 1..9 {
        assert_eq!(decode(bytes.chunks(size)).as_deref(), Ok(text.as_bytes()));
        assert_eq!(decode(swapped.chunks(size)).as_deref(), Ok(text.as_bytes()));
    }
}

#[test]
fn utf_16_without_a_mark_and_utf_32_quarantine_the_file() {
    assert_eq!(code(&utf16("id,name\n", false)), Some(FaultCode::Encoding));
    assert_eq!(code(b"\0i\0d\0,\0n"), Some(FaultCode::Encoding));
    assert_eq!(code(b"i\0\0\0d\0\0\0"), Some(FaultCode::Encoding));
    assert_eq!(code(b"\xff\xfe\0\0i\0\0\0"), Some(FaultCode::Encoding));
    assert_eq!(code(b"\0\0\0i"), Some(FaultCode::Encoding));
}

#[test]
fn malformed_utf_16_quarantines_the_file() {
    assert_eq!(code(b"\xff\xfei\0\x00\xd8i\0"), Some(FaultCode::Encoding));
    assert_eq!(code(b"\xff\xfei\0d"), Some(FaultCode::Encoding));
}

#[test]
fn a_declared_encoding_is_transcoded() {
    let text = decode_as(LIMITS, declared("windows-1252"), [&b"name\nZo\xeb \x80\n"[..]]);
    assert_eq!(text.as_deref(), Ok("name\nZoë €\n".as_bytes()));
    let undeclared = decode([&b"name\nZo\xeb\n"[..]]);
    assert_eq!(undeclared.as_deref(), Ok(&b"name\nZo\xeb\n"[..]));
}

#[test]
fn every_gzip_member_is_read() {
    let bytes = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
    for size in [1, 2, 7, bytes.len()] {
        assert_eq!(decode(bytes.chunks(size)).as_deref(), Ok(&b"one\ntwo\n"[..]));
    }
}

#[test]
fn a_gzip_header_with_all_fields_is_read() {
    let builder = GzBuilder::new().filename("a.csv").comment("made by hand").extra(vec![7; 300]);
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(b"text").expect("memory");
    let bytes = encoder.finish().expect("memory");
    assert_eq!(decode(bytes.chunks(3)).as_deref(), Ok(&b"text"[..]));
}

#[test]
fn gzip_cut_at_any_byte_is_truncated() {
    let bytes = gzip(&b"some,row\n".repeat(20));
    for end in 2..bytes.len() {
        assert_eq!(code(&bytes[..end]), Some(FaultCode::Truncated), "cut at {end}");
    }
}

#[test]
fn zstd_cut_at_any_byte_is_truncated() {
    let bytes = zstd(&b"some,row\n".repeat(20));
    for end in 4..bytes.len() {
        assert_eq!(code(&bytes[..end]), Some(FaultCode::Truncated), "cut at {end}");
    }
}

#[test]
fn zero_bytes_after_gzip_are_padding_and_others_are_damage() {
    assert_eq!(decode([&[gzip(b"x"), vec![0; 512]].concat()[..]]).as_deref(), Ok(&b"x"[..]));
    assert_eq!(code(&[gzip(b"x"), b"more".to_vec()].concat()), Some(FaultCode::Corrupt));
    assert_eq!(code(&[gzip(b"x"), vec![0, 0], gzip(b"y")].concat()), Some(FaultCode::Corrupt));
    assert_eq!(code(&[zstd(b"x"), b"more".to_vec()].concat()), Some(FaultCode::Corrupt));
}

#[test]
fn a_damaged_byte_in_gzip_is_never_taken_for_the_text() {
    let text = b"some,row\nanother,row\n".repeat(5);
    let bytes = gzip(&text);
    for at in 2..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        // Time, level, system and unused bits are not part of the content.
        let result = decode([&damaged[..]]);
        assert!(result.is_err() || result.as_ref() == Ok(&text), "byte {at}");
    }
}

#[test]
fn zstd_frames_are_read() {
    let bytes = [zstd(b"one\n"), zstd(b"two\n")].concat();
    for size in [1, 5, bytes.len()] {
        assert_eq!(decode(bytes.chunks(size)).as_deref(), Ok(&b"one\ntwo\n"[..]));
    }
}

#[test]
fn a_zstd_window_above_eight_mebibytes_is_rejected() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).expect("memory");
    encoder.window_log(24).expect("a parameter");
    encoder.write_all(b"text").expect("memory");
    assert_eq!(code(&encoder.finish().expect("memory")), Some(FaultCode::Corrupt));
}

#[test]
fn a_file_compressed_twice_is_quarantined() {
    for bytes in [gzip(&gzip(b"x")), gzip(&zstd(b"x")), zstd(&gzip(b"x"))] {
        let fault = decode([&bytes[..]]).expect_err("two layers");
        assert_eq!((fault.code, fault.found.as_str()), (FaultCode::WrongFormat, "a file compressed twice"));
    }
}

#[test]
fn an_archive_is_rejected_by_name() {
    let fault = decode([&b"PK\x03\x04rest"[..]]).expect_err("an archive");
    assert!(fault.found.contains("ZIP"));
}

#[test]
fn compressed_text_in_utf_16_is_transcoded() {
    assert_eq!(decode([&gzip(&utf16("id\n", true))[..]]).as_deref(), Ok(&b"id\n"[..]));
}

#[test]
fn a_bomb_is_rejected_with_every_call_bounded() {
    let zeros = vec![b'0'; 32 * 1024 * 1024];
    assert_eq!(code(&gzip(&zeros)), Some(FaultCode::Bomb));
    assert_eq!(code(&zstd(&zeros)), Some(FaultCode::Bomb));
    let small = Limits { decompressed_bytes: 1_000, ..LIMITS };
    let fault = decode_as(small, None, [&gzip(&zeros[..2_000])[..]]).expect_err("too much");
    assert_eq!(fault.code, FaultCode::Bomb);
}

#[test]
fn nine_mebibytes_of_one_letter_are_no_bomb() {
    let text = vec![b'x'; 9 * 1024 * 1024];
    assert_eq!(decode([&gzip(&text)[..]]).map(|found| found == text), Ok(true));
}

#[test]
fn a_file_above_the_limit_is_quarantined() {
    let small = Limits { file_bytes: 10, ..LIMITS };
    for bytes in [b"hello world".to_vec(), gzip(b"hello world")] {
        let fault = decode_as(small, None, [&bytes[..]]).expect_err("too large");
        assert_eq!(fault.code, FaultCode::TooLarge);
    }
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back_whatever_the_blocks(
        text in prop::collection::vec(b'a'..b'f', 0..5_000),
        size in 1_usize..600,
    ) {
        prop_assert_eq!(decode(gzip(&text).chunks(size)), Ok(text.clone()));
        prop_assert_eq!(decode(zstd(&text).chunks(size)), Ok(text.clone()));
        prop_assert_eq!(decode(text.chunks(size)), Ok(text.clone()));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        magic in prop_oneof![
            Just(&b""[..]), Just(&b"\x1f\x8b\x08"[..]), Just(&b"\x28\xb5\x2f\xfd"[..]), Just(&b"\xff\xfe"[..]),
        ],
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..50,
    ) {
        let bytes = [magic, &bytes].concat();
        prop_assert_eq!(decode(bytes.chunks(size)).is_ok(), decode([&bytes[..]]).is_ok());
    }
}
