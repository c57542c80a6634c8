//! Secrets, made of the system's randomness and of nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::error::CommandError;
use crate::names::ID_CHARACTERS;

/// The alphabet of credentials' ids (RFC 4648, 6), in lower case.
const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Gives 32 random bytes; a parameter so that tests decide them.
pub type Random = Box<dyn Fn() -> Result<[u8; 32], CommandError> + Send + Sync>;

/// Returns the system's randomness.
#[must_use]
pub fn system() -> Random {
    Box::new(|| {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| CommandError::NoRandomness)?;
        Ok(bytes)
    })
}

/// Returns the secret of a credential: `ssk_` and 256 bits as 43 characters.
pub(crate) fn of_credential(random: &Random) -> Result<String, CommandError> {
    Ok(format!("ssk_{}", URL_SAFE_NO_PAD.encode(random()?)))
}

/// Returns the secret of a webhook: `whsec_` and 256 bits in base 64, as Standard Webhooks writes it.
pub(crate) fn of_webhook(random: &Random) -> Result<String, CommandError> {
    Ok(format!("whsec_{}", STANDARD.encode(random()?)))
}

/// Returns the id of a credential: 60 random bits.
pub(crate) fn id(random: &Random) -> Result<String, CommandError> {
    let character = |byte: &u8| BASE_32.get(usize::from(byte % 32)).copied().map(char::from);
    Ok(random()?.iter().take(ID_CHARACTERS).filter_map(character).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::is_credential;

    #[test]
    fn secrets_are_as_long_as_they_should_be_and_never_the_same() {
        let random = system();
        let secret = of_credential(&random).unwrap();
        assert_eq!((secret.len(), secret.starts_with("ssk_")), (47, true));
        assert_ne!(secret, of_credential(&random).unwrap());
        let secret = of_webhook(&random).unwrap();
        assert_eq!((secret.len(), secret.starts_with("whsec_")), (50, true));
        let ids = [id(&random).unwrap(), id(&random).unwrap()];
        assert!(is_credential(&ids[0]) && ids[0] != ids[1], "{ids:?}");
    }
}
