"""Each check of the audit finds what it is there for."""

import pathlib
import tempfile
import unittest

import advisories
import index

PACKAGE = {"name": "serde", "version": "1.2.3", "source": "registry+https://github.com/rust-lang/crates.io-index", "checksum": "aa"}


class Audit(unittest.TestCase):
    def test_a_yanked_changed_or_unknown_version_is_found(self) -> None:
        def against(line: str) -> int:
            content = b"\3\2\0\0\0etag\x001.2.3\0" + line.encode() + b"\0"
            return len(index.findings(PACKAGE, index.versions(content)))

        self.assertEqual(against('{"vers":"1.2.3","cksum":"aa","yanked":false}'), 0)
        self.assertEqual(against('{"vers":"1.2.3","cksum":"aa","yanked":true}'), 1)
        self.assertEqual(against('{"vers":"1.2.3","cksum":"bb","yanked":false}'), 1)
        self.assertEqual(against('{"vers":"1.2.4","cksum":"aa","yanked":false}'), 1)

    def test_a_crate_is_looked_up_where_cargo_keeps_it(self) -> None:
        places = [index.place(name) for name in ("a", "cc", "md5", "Serde")]
        self.assertEqual(places, ["1/a", "2/cc", "3/m/md5", "se/rd/serde"])

    def test_a_copy_that_is_made_after_it_was_named_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            copy = index.Copy(pathlib.Path(home))
            crate = pathlib.Path(home, "registry/index/made-now/.cache/se/rd/serde")
            crate.parent.mkdir(parents=True)
            crate.write_bytes(b"\3\2\0\0\0etag\x001.2.3\0" + b'{"vers":"1.2.3"}' + b"\0")
            self.assertEqual(list(copy.versions("serde")), ["1.2.3"])

    def test_requirements_hold_as_cargo_reads_them(self) -> None:
        for requirement, version, expected in (
            (">= 1.2.3", "1.2.3", True),
            ("> 1.2.3", "1.2.3", False),
            (">= 0.4.8, < 1.0.0-0", "1.0.0", False),
            (">=0.4.8,<1.0.0-0", "0.9.0", True),
            ("< 1.2.3", "1.2.3-rc.1", True),
            (">= 1.2.10", "1.2.9", False),
            ("^0.3.17", "0.3.20", True),
            ("^0.3.17", "0.4.0", False),
            ("^ 1.1", "1.9.0", True),
            ("~1.2.3", "1.3.0", False),
            ("= 1.2.3", "1.2.3+build", True),
        ):
            self.assertEqual(advisories.fits(requirement, version), expected, f"{requirement} {version}")
        with self.assertRaises(ValueError):
            advisories.fits("1.*", "1.2.3")

    def test_an_advisory_counts_until_the_version_that_is_patched(self) -> None:
        text = '```toml\n[advisory]\nid = "RUSTSEC-1"\n%s[versions]\npatched = [">= 1.2.4"]\nunaffected = ["< 1.0.0"]\n```'
        advisory = advisories.head(text % "")
        self.assertEqual(advisories.findings(PACKAGE, [advisory]), (["serde 1.2.3: RUSTSEC-1 (vulnerability)"], []))
        for version in ("1.2.4", "0.9.9"):
            self.assertEqual(advisories.findings(PACKAGE | {"version": version}, [advisory]), ([], []))
        unmaintained = advisories.head(text % 'informational = "unmaintained"\n')
        self.assertEqual(advisories.findings(PACKAGE, [unmaintained]), ([], ["serde 1.2.3: RUSTSEC-1 (unmaintained)"]))
        withdrawn = advisories.head(text % 'withdrawn = "2026-01-01"\n')
        self.assertEqual(advisories.findings(PACKAGE, [withdrawn]), ([], []))


if __name__ == "__main__":
    unittest.main()
