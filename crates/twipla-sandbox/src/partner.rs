//! The partners of a sandbox, and their configuration.

use std::fmt;

use jsonwebtoken::DecodingKey;
use twipla_api::PartnerId;
use twipla_api::types::BillingMode;
use uuid::Uuid;

use crate::account::Model;
use crate::error::Error;
use crate::keys;

/// A partner of a sandbox.
#[derive(Clone)]
pub struct Partner {
    id: Uuid,
    name: String,
    model: Model,
    billing_mode: BillingMode,
    private_key: String,
    public_key: String,
}

impl Partner {
    /// The id, which TWIPLA would have issued.
    pub fn id(&self) -> PartnerId {
        self.id.into()
    }

    /// The name of the company.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The subscription model.
    pub fn model(&self) -> Model {
        self.model
    }

    /// Who does the billing.
    pub fn billing_mode(&self) -> &BillingMode {
        &self.billing_mode
    }

    /// The private key as PKCS#8 PEM. Empty for a partner configured with a
    /// public key.
    pub fn private_key_pem(&self) -> &str {
        &self.private_key
    }

    /// The public key as PEM.
    pub fn public_key_pem(&self) -> &str {
        &self.public_key
    }
}

/// Omits the keys.
impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partner")
            .field("id", &self.id)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// The configuration of a partner.
#[derive(Clone)]
pub struct PartnerConfig {
    id: Uuid,
    name: String,
    model: Model,
    billing_mode: BillingMode,
    public_key: Option<String>,
    private_key: Option<String>,
}

/// Omits the keys.
impl fmt::Debug for PartnerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartnerConfig")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("model", &self.model)
            .field("billing_mode", &self.billing_mode)
            .finish_non_exhaustive()
    }
}

impl PartnerConfig {
    /// Creates a partner that does its own billing. Its key is generated when
    /// the sandbox starts.
    pub fn new(id: Uuid, model: Model) -> Self {
        Self {
            id,
            name: format!("Sandbox partner, {} model", model.as_str()),
            model,
            billing_mode: BillingMode::CompanyManaged,
            public_key: None,
            private_key: None,
        }
    }

    /// Sets the partner's public key, as PEM, instead of generating a key pair.
    #[must_use]
    pub fn public_key_pem(mut self, pem: impl Into<String>) -> Self {
        self.public_key = Some(pem.into());
        self
    }

    /// Sets the partner's private key, as PKCS#8 PEM, instead of generating a
    /// key pair.
    #[must_use]
    pub fn private_key_pem(mut self, pem: impl Into<String>) -> Self {
        self.private_key = Some(pem.into());
        self
    }

    /// Sets who does the billing.
    #[must_use]
    pub fn billing_mode(mut self, mode: BillingMode) -> Self {
        self.billing_mode = mode;
        self
    }

    /// Sets the name of the company.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn model(&self) -> Model {
        self.model
    }

    pub(crate) fn has_the_key_of(&self, other: &Self) -> bool {
        self.private_key == other.private_key && self.public_key == other.public_key
    }

    /// Returns the partner, and the key that verifies its tokens.
    pub(crate) fn into_partner(self) -> Result<(Partner, DecodingKey), Error> {
        let id = self.id;
        let remedy = "make the public one with `openssl rsa -in KEY -pubout`";
        let pair = match (self.private_key, self.public_key) {
            (Some(private), _) => keys::from_private(private).map_err(|error| {
                Error::new(format!("cannot use the key of partner {id}")).with_source(error)
            })?,
            (None, Some(public)) => keys::PemPair::public_only(public),
            (None, None) => keys::generate()?,
        };
        if pair.public.contains("PRIVATE KEY") {
            return Err(Error::new(format!(
                "invalid public key of partner {id}: this is a private key: {remedy}"
            )));
        }
        let key = DecodingKey::from_rsa_pem(pair.public.as_bytes()).map_err(|error| {
            Error::new(format!(
                "invalid public key of partner {id}: expected an RSA public key as PEM: {remedy}"
            ))
            .with_source(error)
        })?;
        let partner = Partner {
            id,
            name: self.name,
            model: self.model,
            billing_mode: self.billing_mode,
            private_key: pair.private,
            public_key: pair.public,
        };
        Ok((partner, key))
    }
}
