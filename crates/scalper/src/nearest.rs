//! "Did you mean": the known name that is closest to a mistyped one.

/// How alike two names must be: from 0 (nothing in common) to 1 (equal). Above this one exchanged, missing or surplus letter of a
/// short name is found, and names that share only a few letters are not.
const ALIKE: f64 = 0.8;

/// The known name most like the one that was typed, if one is alike (Jaro-Winkler).
pub(crate) fn nearest<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(typed, name), name));
    let alike = scored.filter(|(score, _)| *score > ALIKE);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// Returns `; did you mean <name>?`, or nothing.
pub(crate) fn hint<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(typed, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["charges", "labs", "scan-reports"];
        for (typed, found) in
            [("lab", "labs"), ("lbas", "labs"), ("scan_report", "scan-reports"), ("Charges", "charges")]
        {
            assert_eq!(nearest(typed, known), Some(found), "{typed}");
        }
        for typed in ["", "orders", "x", "people"] {
            assert_eq!(nearest(typed, known), None, "{typed}");
        }
        assert_eq!(hint("lbas", known), "; did you mean `labs`?");
    }
}
