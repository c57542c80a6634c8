//! The webhook: outcomes, posted to the address that a partner named.

use serde_json::{Value, json};

use super::{examples, schemas};

/// Returns the webhooks by name.
pub(super) fn all() -> Value {
    let header = |name: &str, example: &str, description: &str| {
        json!({
            "name": name, "in": "header", "required": true, "schema": { "type": "string" }, "example": example,
            "description": description
        })
    };
    let id = "r5g61a45bnmyhnp8sgqw0ymkjv-ce8hmn7mrjtx6-COMPLETE";
    let signature = "Signatures separated by blanks, each `v1,` and base64 of HMAC-SHA-256 over `<webhook-id>.<webhook-timestamp>.\
        <body>`. The key is the secret that the operator gave you, without `whsec_`, decoded from base64. Accept the request when one \
        of the signatures is right; during a rotation there are two";
    let body = json!({ "schema": schemas::reference("Outcome"), "example": examples::of("Outcome") });
    json!({
        "outcome": {
            "post": {
                "operationId": "outcome",
                "tags": ["webhooks"],
                "summary": "The outcome of a file",
                "description": "Posted to the address that the operator entered for you, once a file is decided and again when a \
                    newer file supersedes it. Signed as Standard Webhooks are (standardwebhooks.com). Outcomes are delivered at \
                    least once and possibly out of order; the file's state at this API is authoritative. A post that is not \
                    answered with 2xx is repeated for about 32 hours, later each time, with the same `webhook-id` and body.",
                "parameters": [
                    header("webhook-id", id, "The same for each delivery of an outcome: ignore one that you know"),
                    header(
                        "webhook-timestamp", "1795161600",
                        "When it was sent, seconds since the epoch. Reject one that is more than five minutes off"
                    ),
                    header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", signature),
                ],
                "requestBody": {
                    "required": true, "description": "The outcome", "content": { "application/json": body }
                },
                "responses": {
                    "2XX": { "description": "Received: it is not sent again" },
                    "410": { "description": "Not wanted: this outcome is not sent again" },
                    "default": { "description": "Not received: it is sent again later, not before `retry-after`" }
                },
                "security": []
            }
        }
    })
}
