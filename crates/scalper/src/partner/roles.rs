//! IAM roles that are a partner's.

use store::{Credential, WritePartners};

use super::{Operator, acts};
use crate::arguments::RoleArguments;
use crate::audited::Effect;
use crate::error::CommandError;
use crate::gateway::Gateway;
use crate::names;
use crate::partner::Uploads;
use crate::report::CommandReport;
use crate::secret;

impl<S: WritePartners, G: Gateway, U: Uploads, T> Operator<S, G, U, T> {
    pub(super) async fn role(
        &self,
        arguments: &RoleArguments,
    ) -> Result<Effect<CommandReport>, CommandError> {
        let arn = names::role(&arguments.arn)?;
        let (feeds, scopes) = (names::feeds(&arguments.feeds)?, names::scopes(&arguments.scopes)?);
        let partner = self.known(&arguments.name).await?.name;
        let before = self.partners.role(&arn).await?;
        if let Some(other) = before.as_ref().filter(|role| role.partner != partner && !arguments.remove) {
            return Err(CommandError::RoleTaken { arn, partner: other.partner.clone() });
        }
        let before = before.filter(|role| role.partner == partner);
        if arguments.remove {
            if before.is_none() {
                return Err(CommandError::NoSuchRole { partner, arn });
            }
            self.partners.put_role(&arn, None).await?;
            let details = acts::role(&arn, before.as_ref(), None);
            return Ok(Effect::new(CommandReport::RoleRemoved { partner, arn }, details));
        }
        let known = before.as_ref().map(|role| Ok(role.id.clone()));
        let id = known.unwrap_or_else(|| secret::id(&self.random))?;
        let role = Credential {
            id,
            partner: partner.clone(),
            feeds,
            scopes,
            created_ms: self.now_ms,
            expires_ms: None,
            revoked_ms: None,
            gateway_key: None,
        };
        self.partners.put_role(&arn, Some(&role)).await?;
        let details = acts::role(&arn, before.as_ref(), Some(&role));
        let report = CommandReport::RoleNamed { partner, arn, credential: self.credential_view(&role) };
        Ok(Effect::new(report, details))
    }
}
