//! What the partner's door needs: who may come in, how much, what was promised, bytes in, answers out.
//!
//! Four traits beside the five of the path. `aws::Door` and the same in-memory twin implement them: a file that came in
//! through the door is then a file like any other.
//!
//! ```text
//! partners table   pk = partners              sk = <partner>            a partner, its state and its limits
//!                  pk = credential#<sha256>   sk = credential           whose secret this is, which feeds and scopes
//!                  pk = partner#<partner>     sk = credential#<id>      the same, to list and to revoke
//!                  pk = role#<arn>            sk = role                 an IAM role that is a partner's
//!                  pk = limit#<partner>       sk = requests | day#<day> the bucket of requests, the bytes of a day
//!                  pk = request#<partner>     sk = <hash of the key>    an idempotent request and its answer
//!                  pk = upload#<partner>      sk = <upload id>          an upload that was promised
//!                  pk = webhook#<partner>     sk = webhook              where outcomes are posted, and the secret to sign them
//! ```

mod landing;
mod limits;
mod partners;
mod reading;
mod requests;

pub use landing::{
    Condition, Current, Land, Landed, Landing, Part, Presigned, SignedPart, SignedUpload, UploadId,
};
pub use limits::{Limiter, Limits, Spent};
pub use partners::{Credential, CredentialHash, Feeds, Partner, Partners, Scope, Webhook};
pub use reading::{FilePage, FilePlace, FileQuery, ListedFile, Reading, RecordPage, RecordVersion};
pub use requests::{Answer, Begun, RequestKey, Requests, UploadKind, UploadRecord};

/// Everything that the door needs, beside the ledger and the contracts.
pub trait DoorStore: Partners + Limiter + Requests + Landing + Reading {}

impl<T: Partners + Limiter + Requests + Landing + Reading> DoorStore for T {}
