//! Credentials of the user's AWS CLI, which knows profiles, single sign-on and much else that we need not know.

use std::process::{Command, Stdio};

use serde::Deserialize;
use store::aws::Access;

use crate::failure::Failure;

/// What `--format process` prints (AWS CLI Command Reference, `configure export-credentials`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// Asks the AWS CLI. What it says of an error goes to the user as it is.
pub fn from_aws_cli(region: String) -> Result<Access, Failure> {
    let mut command = Command::new("aws");
    command.args(["configure", "export-credentials", "--format", "process"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| no_access(&format!("could not be run ({})", error.kind())))?;
    if !output.status.success() {
        return Err(no_access("failed"));
    }
    parse(&output.stdout, region).map_err(|problem| no_access(&problem))
}

fn no_access(problem: &str) -> Failure {
    Failure::NoAccess { problem: problem.to_owned() }
}

/// Reads what the AWS CLI printed. What cannot be read is not quoted: it may be a secret.
pub fn parse(printed: &[u8], region: String) -> Result<Access, String> {
    let exported: Exported =
        serde_json::from_slice(printed).map_err(|_| "printed no credentials that can be read".to_owned())?;
    let Exported { access_key_id, secret_access_key, session_token } = exported;
    Ok(Access {
        region,
        access_key: access_key_id,
        secret_key: secret_access_key,
        session_token,
        endpoint: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_aws_cli_prints_is_read_and_never_quoted() {
        let printed =
            br#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"x"}"#;
        let access = parse(printed, "r".to_owned()).expect("credentials");
        assert_eq!((access.access_key, access.session_token.as_deref()), ("A".to_owned(), Some("T")));
        for printed in ["", "[]", r#"{"AccessKeyId":"A","SecretAccessKey":["S3CRET"]}"#] {
            let problem = parse(printed.as_bytes(), "r".to_owned()).expect_err("refused");
            assert!(!problem.contains("S3CRET"), "{problem}");
        }
    }
}
