use super::*;

#[test]
fn every_code_says_what_to_do() {
    let line = |code: FaultCode| format!("{:<18} {}\n", code.as_str(), code.advice());
    insta::assert_snapshot!(FaultCode::ALL.map(line).concat());
}

#[test]
fn every_code_is_listed_once_and_spelled_as_it_is_serialized() {
    let mut codes = FaultCode::ALL.map(FaultCode::as_str).to_vec();
    for code in FaultCode::ALL {
        assert_eq!(serde_json::to_value(code).expect("a code"), code.as_str());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FaultCode::ALL.len());
}
