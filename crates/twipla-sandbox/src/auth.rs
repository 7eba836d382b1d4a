//! Verifies tokens: RS256 only, signed by the partner that they name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

/// Longer tokens are rejected without being parsed.
const MAX_TOKEN: usize = 8 * 1024;
/// Accepted clock skew.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// Who a token authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The partner (INTP).
    Partner(Uuid),
    /// A customer of the partner (INTPC), by the id that the partner chose.
    Customer(Uuid, String),
}

/// A token with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedToken {
    pub(crate) bearer: Bearer,
    pub(crate) is_expired: bool,
}

/// Verifies a token; `key` looks up the public key of a partner. Returns `None`
/// for an invalid token, without a reason, because the response has none
/// either.
pub(crate) fn verify(
    token: &str,
    now: DateTime<Utc>,
    key: impl FnOnce(Uuid) -> Option<DecodingKey>,
) -> Option<Bearer> {
    let token = verify_signed(token, now, key)?;
    (!token.is_expired).then_some(token.bearer)
}

/// Verifies everything except the expiry, which the dashboard reports with a
/// separate text.
pub(crate) fn verify_signed(
    token: &str,
    now: DateTime<Utc>,
    key: impl FnOnce(Uuid) -> Option<DecodingKey>,
) -> Option<SignedToken> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header: Header = decode(header)?;
    if header.alg != "RS256"
        || header
            .typ
            .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
    {
        return None;
    }
    // The sandbox supports no extensions, so it must reject all of them (RFC 7515, 4.1.11).
    if header.crit {
        return None;
    }
    let partner = header.kid?;
    // The provider is passed explicitly because the global one panics if the
    // dependencies of a program enable none or two of them.
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key(partner)?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    verifier.verify(message.as_bytes(), &signature).ok()?;

    let claims: Claims = decode(claims)?;
    let leeway = LEEWAY.as_seconds_f64();
    let now = seconds(now);
    let early = |at: Option<f64>| at.is_some_and(|at| at > now + leeway);
    if claims.intp_id != partner || early(claims.iat) || early(claims.nbf) {
        return None;
    }
    let bearer = match (claims.roles.as_slice(), claims.intpc_id) {
        ([role], _) if role == "intp" => Bearer::Partner(partner),
        ([role], Some(customer)) if role == "intpc" => Bearer::Customer(partner, customer),
        _ => return None,
    };
    Some(SignedToken {
        bearer,
        is_expired: claims.exp <= now - leeway,
    })
}

/// Tokens that were valid until a fault struck them.
#[derive(Default)]
pub(crate) struct RejectedTokens(IndexMap<String, Option<f64>>);

impl RejectedTokens {
    /// When full, the oldest tokens are dropped.
    const CAPACITY: usize = 10_000;
    /// How long after its `iat` an identical token may be issued. RS256
    /// signatures of the same claims are identical, so a client that refreshes
    /// its token within the same second sends the same token, which must not be
    /// rejected. The other second allows for clock skew.
    const SAME_TOKEN: TimeDelta = TimeDelta::seconds(2);

    pub(crate) fn add(&mut self, token: &str) {
        if token.len() > MAX_TOKEN {
            return;
        }
        if self.0.len() == Self::CAPACITY {
            self.0.shift_remove_index(0);
        }
        let issued_at = token
            .split('.')
            .nth(1)
            .and_then(decode)
            .and_then(|claims: Claims| claims.iat);
        self.0.insert(token.to_owned(), issued_at);
    }

    pub(crate) fn contains(&self, token: &str, now: DateTime<Utc>) -> bool {
        self.0.get(token).is_some_and(|issued_at| {
            issued_at.is_none_or(|at| at + Self::SAME_TOKEN.as_seconds_f64() <= seconds(now))
        })
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "exact for some hundred thousand years"
)]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<Uuid>,
    /// Whether the field is present, with any value.
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

fn is_present<'de, D: serde::Deserializer<'de>>(field: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(field).map(|_| true)
}

#[derive(Deserialize)]
struct Claims {
    roles: Vec<String>,
    intp_id: Uuid,
    intpc_id: Option<String>,
    /// Seconds. JWT allows fractions, and one official client sends them.
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::EncodingKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::keys;

    fn sign(header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).unwrap();
        format!(
            "{message}.{}",
            URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes()))
        )
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "one table")]
    fn only_valid_tokens_of_the_partner_are_accepted() {
        let now = Utc::now();
        let at = now.timestamp();
        let (partner, other) = (Uuid::new_v4(), Uuid::new_v4());
        let (own, strange) = (keys::generate().unwrap(), keys::generate().unwrap());
        let key = EncodingKey::from_rsa_pem(own.private.as_bytes()).unwrap();
        let strangers = EncodingKey::from_rsa_pem(strange.private.as_bytes()).unwrap();
        let secret = EncodingKey::from_secret(own.public.as_bytes());
        let header = |alg: &str, kid: Uuid| json!({"alg": alg, "typ": "JWT", "kid": kid});
        let claims = |from: i64, to: i64| json!({"roles": ["intp"], "intp_id": partner, "iat": at + from, "exp": at + to});
        let good = sign(
            &header("RS256", partner),
            &claims(0, 600),
            Algorithm::RS256,
            &key,
        );
        let verify = |token: &str| {
            verify(token, now, |id| {
                let pem = if id == partner {
                    &own.public
                } else {
                    &strange.public
                };
                DecodingKey::from_rsa_pem(pem.as_bytes()).ok()
            })
        };
        assert_eq!(verify(&good), Some(Bearer::Partner(partner)));
        #[allow(clippy::cast_precision_loss)]
        let fraction = json!({"roles": ["intp"], "intp_id": partner, "iat": at as f64 - 0.5, "exp": at as f64 + 600.456, "intpc_id": null});
        let fraction = sign(&header("RS256", partner), &fraction, Algorithm::RS256, &key);
        assert_eq!(
            verify(&fraction),
            Some(Bearer::Partner(partner)),
            "one official client signs fractions of a second"
        );

        let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
        parts[1] = URL_SAFE_NO_PAD.encode(claims(0, 6000).to_string());
        let tampered = parts.join(".");
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(header("none", partner).to_string()),
            parts[1]
        );
        let rs = |header: &Value, claims: &Value| sign(header, claims, Algorithm::RS256, &key);
        let long = json!({"roles": ["intp"], "intp_id": partner, "iat": at, "exp": at + 600, "x": "x".repeat(9000)});
        for (what, token) in [
            ("none", none),
            (
                "HS256 with the public key",
                sign(
                    &header("HS256", partner),
                    &claims(0, 600),
                    Algorithm::HS256,
                    &secret,
                ),
            ),
            (
                "RS384",
                sign(
                    &header("RS384", partner),
                    &claims(0, 600),
                    Algorithm::RS384,
                    &key,
                ),
            ),
            (
                "unknown crit",
                rs(
                    &json!({"alg": "RS256", "kid": partner, "crit": ["b64"], "b64": false}),
                    &claims(0, 600),
                ),
            ),
            (
                "crit without a value",
                rs(
                    &json!({"alg": "RS256", "kid": partner, "crit": null}),
                    &claims(0, 600),
                ),
            ),
            ("wrong kid", rs(&header("RS256", other), &claims(0, 600))),
            (
                "missing kid",
                rs(&json!({"alg": "RS256", "typ": "JWT"}), &claims(0, 600)),
            ),
            ("expired", rs(&header("RS256", partner), &claims(-600, -6))),
            (
                "not yet valid",
                rs(&header("RS256", partner), &claims(60, 600)),
            ),
            (
                "another key",
                sign(
                    &header("RS256", partner),
                    &claims(0, 600),
                    Algorithm::RS256,
                    &strangers,
                ),
            ),
            (
                "another partner's claims",
                rs(
                    &header("RS256", partner),
                    &json!({"roles": ["intp"], "intp_id": other, "iat": at, "exp": at + 600}),
                ),
            ),
            (
                "no role",
                rs(
                    &header("RS256", partner),
                    &json!({"roles": [], "intp_id": partner, "iat": at, "exp": at + 600}),
                ),
            ),
            (
                "no expiry",
                rs(
                    &header("RS256", partner),
                    &json!({"roles": ["intp"], "intp_id": partner, "iat": at}),
                ),
            ),
            ("tampered", tampered),
            ("oversized", rs(&header("RS256", partner), &long)),
            ("cut off", good[..good.len() - 4].to_owned()),
            ("empty", String::new()),
            ("not a JWT", "a.b.c".to_owned()),
        ] {
            assert_eq!(verify(&token), None, "{what}");
        }
        let customer = json!({"roles": ["intpc"], "intp_id": partner, "intpc_id": "c", "iat": at, "exp": at + 600});
        assert_eq!(
            verify(&rs(&header("RS256", partner), &customer)),
            Some(Bearer::Customer(partner, "c".to_owned()))
        );
    }
}
