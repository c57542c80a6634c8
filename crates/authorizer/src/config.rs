//! The environment, read once at start.

use outbound::AddressPolicy;
use runtime::Environment;
use store::aws::Access;
use telemetry::Metrics;

use crate::claims::ExpectedClaims;
use crate::issuer::IssuerSettings;

/// The configuration of the function, from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The partners table.
    pub partners_table: String,
    /// Where tokens come from; `None`: no token is accepted.
    pub issuer: Option<IssuerSettings>,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Where AWS is and who asks.
    pub access: Access,
}

impl Config {
    /// Reads the environment of the function. An issuer needs an audience: otherwise tokens for other services would
    /// be accepted.
    pub fn read(environment: &mut Environment) -> Self {
        let partners_table = environment.required("PARTNERS_TABLE");
        let metrics = environment.metrics();
        let issuer = environment.optional("OAUTH_ISSUER").map(|issuer| {
            let usual = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
            let claim = environment.optional("OAUTH_PARTNER_CLAIM");
            IssuerSettings {
                keys_url: environment.optional("OAUTH_JWKS_URL").unwrap_or(usual),
                expected: ExpectedClaims {
                    audience: environment.required("OAUTH_AUDIENCE"),
                    partner_claim: claim.unwrap_or_else(|| "partner".to_owned()),
                    all_feeds: environment.optional("OAUTH_ALL_FEEDS").as_deref() == Some("true"),
                    issuer,
                },
            }
        });
        let access = environment.access();
        Self { partners_table, issuer, metrics, access }
    }

    /// Returns where the issuer's keys may be: with an emulator, on this machine too.
    #[must_use]
    pub fn policy(&self) -> AddressPolicy {
        if self.access.endpoint.is_some() { AddressPolicy::Loopback } else { AddressPolicy::Public }
    }
}

#[cfg(test)]
mod tests {
    use runtime::EnvironmentError;

    use super::*;

    /// Returns a value for each variable.
    fn value(name: &str) -> String {
        match name {
            "MONITORING" => "Basic".to_owned(),
            "PARTNER_METRICS" => "false".to_owned(),
            other => other.to_lowercase(),
        }
    }

    fn read(set: &'static [(&'static str, &'static str)]) -> Result<Config, EnvironmentError> {
        Environment::new(move |name| {
            let found = set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            found.or_else(|| (!name.starts_with("OAUTH") && name != "AWS_ENDPOINT_URL").then(|| value(name)))
        })
        .read(Config::read)
    }

    #[test]
    fn without_an_issuer_no_token_is_accepted() {
        assert_eq!(read(&[]).expect("complete").issuer, None);
        assert_eq!(read(&[("OAUTH_ISSUER", "")]).expect("complete").issuer, None);
    }

    #[test]
    fn an_issuer_needs_an_audience_and_the_rest_has_usual_values() {
        let lacking = read(&[("OAUTH_ISSUER", "https://id.example.org/")]).expect_err("no audience");
        assert_eq!(lacking.missing, ["OAUTH_AUDIENCE"]);
        let settings = read(&[("OAUTH_ISSUER", "https://id.example.org/"), ("OAUTH_AUDIENCE", "scalper")]);
        let settings = settings.expect("complete").issuer.expect("an issuer");
        assert_eq!(settings.keys_url, "https://id.example.org/.well-known/jwks.json");
        assert_eq!(settings.expected.issuer, "https://id.example.org/");
        assert_eq!(settings.expected.partner_claim, "partner");
        assert!(!settings.expected.all_feeds);
    }

    #[test]
    fn this_machine_is_reached_only_beside_an_emulator() {
        assert_eq!(read(&[]).expect("complete").policy(), AddressPolicy::Public);
        let local = read(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]);
        assert_eq!(local.expect("complete").policy(), AddressPolicy::Loopback);
    }

    #[test]
    fn every_missing_name_is_reported_at_once() {
        let lacking = Environment::new(|_| None).read(Config::read).expect_err("nothing is set");
        let ours = ["PARTNERS_TABLE", "METRIC_NAMESPACE", "MONITORING", "PARTNER_METRICS"];
        let aws = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        assert_eq!(lacking.missing, [ours.as_slice(), &aws].concat());
    }
}
