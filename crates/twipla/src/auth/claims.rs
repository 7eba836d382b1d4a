//! Header and claims of a token, as in the reference page ("Creating tokens").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::clock::later;
use crate::ids::{CustomerId, PartnerId};

/// Header and claims of a token, encoded and ready to be signed.
#[derive(Debug)]
pub(super) struct UnsignedJwt {
    /// `base64url(header).base64url(claims)`.
    pub(super) message: String,
    pub(super) expires_at: DateTime<Utc>,
}

/// The claims of both kinds of token: only a customer's has `intpc_id`.
#[derive(Serialize)]
struct Claims<'a> {
    roles: [&'static str; 1],
    intp_id: PartnerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    intpc_id: Option<&'a str>,
    iat: i64,
    exp: i64,
}

impl UnsignedJwt {
    /// Encodes a token of `partner` itself (INTP), or of one of its customers (INTPC).
    pub(super) fn new(
        partner: PartnerId,
        customer: Option<&CustomerId>,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> serde_json::Result<Self> {
        // Whole seconds, rounded down, so that no token is issued in the server's future.
        let iat = now.timestamp();
        let exp = later(now, lifetime).timestamp();
        let claims = Claims {
            roles: [if customer.is_some() { "intpc" } else { "intp" }],
            intp_id: partner,
            intpc_id: customer.map(CustomerId::as_str),
            iat,
            exp,
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(partner.to_string());
        Ok(Self {
            message: format!("{}.{}", encode(&header)?, encode(&claims)?),
            expires_at: DateTime::from_timestamp(exp, 0).unwrap_or(now),
        })
    }

    /// Returns the signed token.
    pub(super) fn attach_signature(self, signature: &[u8]) -> String {
        let mut token = self.message;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}

fn encode(part: &impl Serialize) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PARTNER: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    fn decoded_parts(customer: Option<&str>) -> (Value, Value) {
        let customer = customer.map(|id| CustomerId::new(id).unwrap());
        let now = DateTime::from_timestamp_millis(1_667_215_313_900).unwrap();
        let jwt = UnsignedJwt::new(
            PartnerId::new(PARTNER).unwrap(),
            customer.as_ref(),
            now,
            TimeDelta::minutes(10),
        )
        .unwrap();
        assert_eq!(jwt.expires_at.timestamp(), 1_667_215_913);
        let part = |index| {
            let text = jwt.message.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        (part(0), part(1))
    }

    #[test]
    fn partner_token_matches_the_reference_page() {
        let (header, claims) = decoded_parts(None);
        assert_eq!(
            header,
            json!({"alg": "RS256", "typ": "JWT", "kid": PARTNER})
        );
        assert_eq!(
            claims,
            json!({"roles": ["intp"], "intp_id": PARTNER, "iat": 1_667_215_313, "exp": 1_667_215_913})
        );
    }

    #[test]
    fn customer_token_names_the_customer() {
        let (header, claims) = decoded_parts(Some("cust \"42\"/\u{1F98A}"));
        assert_eq!(header["kid"], PARTNER);
        assert_eq!(
            claims,
            json!({
                "roles": ["intpc"], "intp_id": PARTNER, "intpc_id": "cust \"42\"/\u{1F98A}",
                "iat": 1_667_215_313, "exp": 1_667_215_913,
            })
        );
    }

    #[test]
    fn attach_signature_appends_base64url() {
        let partner = PartnerId::new(PARTNER).unwrap();
        let jwt = UnsignedJwt::new(partner, None, Utc::now(), TimeDelta::minutes(10)).unwrap();
        let message = jwt.message.clone();
        assert_eq!(
            jwt.attach_signature(&[0xfb, 0xff, 0xfe]),
            format!("{message}.-__-")
        );
    }
}
