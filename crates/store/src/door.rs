//! What the partner's door needs: who may come in, how much, what was promised, bytes in, answers out.
//!
//! Five traits beside the five of the path, and a sixth for those who watch the door: who ever sent. `aws::Door` and the
//! same in-memory twin implement them: a file that came in through the door is then a file like any other.
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
//!                  pk = s3                    sk = <partner>            who may upload by S3 (`store::uploads`)
//! ```

mod landing;
mod limits;
mod names;
mod partners;
mod reading;
mod requests;
mod senders;

use crate::{ReadContract, ReadEntry};

pub(crate) use landing::MOST_VERSIONS;
pub use landing::{
    Condition, Current, Land, Landed, Landing, Part, Presigned, SignedPart, SignedUpload, UploadId,
};
pub use limits::{Limiter, Limits, Spent};
pub(crate) use limits::{day, until_taken};
pub use names::FileNames;
pub(crate) use names::name_in;
pub use partners::{
    Credential, CredentialHash, Feeds, Partner, Partners, ReadPartner, Scope, Webhook, usage_key,
};
pub(crate) use reading::attachment;
pub use reading::{
    FilePage, FilePlace, FileQuery, ListedFile, MOST_FEEDS, Reading, RecordPage, RecordVersion,
};
pub(crate) use requests::kept_until_ms;
pub use requests::{Answer, Begun, RequestKey, Requests, UploadKind, UploadRecord};
pub use senders::{Folders, Senders};

/// Everything that the door needs; of the ledger and the contracts it only reads.
pub trait DoorStore: Partners + Limiter + Requests + Landing + Reading + ReadEntry + ReadContract {}

impl<T: Partners + Limiter + Requests + Landing + Reading + ReadEntry + ReadContract> DoorStore for T {}
