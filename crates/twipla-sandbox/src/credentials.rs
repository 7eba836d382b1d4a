//! The credentials folder: `sandbox.json` with the partners, their keys, and
//! shell files. It is reused at the next start.

use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use twipla_api::types::BillingMode;
use uuid::Uuid;

use crate::account::Model;
use crate::error::Error;
use crate::files;
use crate::partner::{Partner, PartnerConfig};
use crate::tls::Authority;

/// The credentials folder.
#[derive(Debug)]
pub(crate) struct Credentials {
    folder: PathBuf,
}

/// The content of `sandbox.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    base_url: String,
    /// The certificate to trust, if TLS is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    partners: Vec<DescribedPartner>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedPartner {
    id: Uuid,
    name: String,
    model: Model,
    billing_mode: BillingMode,
    /// `None` if only the partner has the private key.
    private_key_file: Option<PathBuf>,
    public_key_file: PathBuf,
    /// For readers of the file: the ids are derived from that of the partner.
    #[serde(default)]
    packages: IndexMap<String, Uuid>,
}

impl Credentials {
    /// Opens the folder, and creates it if it does not exist.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let open = || {
            files::create_private_folder(folder)?;
            // Absolute, because readers of `sandbox.json` may have another
            // working directory.
            std::fs::canonicalize(folder)
        };
        match open() {
            Ok(folder) => Ok(Self { folder }),
            Err(error) => Err(unusable(folder, &error)),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("sandbox.json")
    }

    /// The path of the certificate to trust.
    pub(crate) fn authority_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Loads the certificate authority, or creates one and writes it.
    pub(crate) fn authority(&self) -> Result<Authority, Error> {
        let (certificate, key) = (self.authority_file(), self.folder.join("ca.key"));
        let read = |file: &Path| {
            files::read(file)
                .map_err(|error| Error::new(format!("cannot read {}: {error}", file.display())))
        };
        if let (Some(certificate_pem), Some(key_pem)) = (read(&certificate)?, read(&key)?) {
            return Authority::from_pem(certificate_pem, &key_pem).map_err(|error| {
                Error::new(format!(
                    "cannot use {} with the ca.key next to it: remove both, and make clients trust the new ca.pem",
                    certificate.display()
                ))
                .with_source(error)
            });
        }
        let created = Authority::generate()?;
        files::write(&key, &created.key_pem())
            .and_then(|()| files::write(&certificate, created.certificate_pem()))
            .map_err(|error| unusable(&self.folder, &error))?;
        Ok(created)
    }

    /// Loads the partners of an earlier start, if any.
    pub(crate) fn partners(&self) -> Result<Option<Vec<PartnerConfig>>, Error> {
        let file = self.file();
        let unreadable = |why: String| {
            Error::new(format!(
                "cannot read the credentials in {}: {why}: correct it, or remove the folder to start with new partners",
                file.display()
            ))
        };
        let text = files::read(&file).map_err(|error| unreadable(error.to_string()))?;
        let Some(text) = text else {
            return Ok(None);
        };
        let described: Described =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let partners = described.partners.into_iter().map(|partner| {
            let named = |file: &Path| {
                // If the folder was moved, the keys were moved with it.
                let name = file.file_name().unwrap_or_default();
                let file = self.folder.join(name);
                match std::fs::read_to_string(&file) {
                    Ok(pem) => Ok((file, pem)),
                    Err(error) => Err(unreadable(format!("{}: {error}", file.display()))),
                }
            };
            let config = PartnerConfig::new(partner.id, partner.model)
                .name(partner.name)
                .billing_mode(partner.billing_mode);
            let (file, config) = if let Some(file) = &partner.private_key_file {
                let (file, pem) = named(file)?;
                (file, config.private_key_pem(pem))
            } else {
                let (file, pem) = named(&partner.public_key_file)?;
                (file, config.public_key_pem(pem))
            };
            // Validated here, where the file name is known.
            match config.clone().into_partner() {
                Ok(_) => Ok(config),
                Err(error) => {
                    let why = format!("{} does not contain a valid key", file.display());
                    Err(unreadable(why).with_source(error))
                }
            }
        });
        partners.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Writes the folder for a sandbox that has started to listen.
    pub(crate) fn write(
        &self,
        base_url: &str,
        is_tls: bool,
        partners: &[(Partner, IndexMap<String, Uuid>)],
    ) -> Result<(), Error> {
        self.try_write(base_url, is_tls, partners)
            .map_err(|error| unusable(&self.folder, &error))
    }

    fn try_write(
        &self,
        base_url: &str,
        is_tls: bool,
        partners: &[(Partner, IndexMap<String, Uuid>)],
    ) -> io::Result<()> {
        let mut described = Described {
            base_url: base_url.to_owned(),
            ca_file: is_tls.then(|| self.authority_file()),
            partners: Vec::new(),
        };
        for (partner, packages) in partners {
            let key = |extension: &str, pem: &str| {
                let file = self.folder.join(format!("{}.{extension}", partner.id()));
                files::write(&file, pem).map(|()| file)
            };
            let private = match partner.private_key_pem() {
                "" => None,
                pem => Some(key("key", pem)?),
            };
            let public = key("pub", partner.public_key_pem())?;
            described.partners.push(DescribedPartner {
                id: *partner.id().as_uuid(),
                name: partner.name().to_owned(),
                model: partner.model(),
                billing_mode: partner.billing_mode().clone(),
                private_key_file: private,
                public_key_file: public,
                packages: packages.clone(),
            });
        }
        self.write_variables(&described)?;
        let text = serde_json::to_string_pretty(&described)? + "\n";
        // Written last, because readers may wait for this file.
        files::write(&self.file(), &text)
    }

    /// Writes one shell file per model, with the variables that the client of
    /// this workspace and test suites in other languages read.
    fn write_variables(&self, described: &Described) -> io::Result<()> {
        for (model, name) in [
            (Model::Website, "sandbox.env"),
            (Model::Account, "sandbox-account.env"),
        ] {
            let partner = described
                .partners
                .iter()
                .find(|partner| partner.model == model && partner.private_key_file.is_some());
            let Some((partner, key)) =
                partner.and_then(|partner| Some((partner, partner.private_key_file.as_ref()?)))
            else {
                continue;
            };
            // Node.js adds this certificate to those it trusts. The variables
            // of other programs replace their trusted certificates, so users
            // must set them themselves.
            let trust = described.ca_file.as_ref().map(|file| {
                let file = quoted(&file.to_string_lossy());
                format!("export NODE_EXTRA_CA_CERTS={file}\nexport TWIPLA_SANDBOX_CA={file}\n")
            });
            let text = format!(
                "# The partner under the {} model: `. {name}`\n\
                 export TWIPLA_PARTNER_ID={}\n\
                 export TWIPLA_PRIVATE_KEY_FILE={}\n\
                 export TWIPLA_BASE_URL={}\n\
                 {}",
                model.as_str(),
                partner.id,
                quoted(&key.to_string_lossy()),
                quoted(&described.base_url),
                trust.unwrap_or_default(),
            );
            files::write(&self.folder.join(name), &text)?;
        }
        Ok(())
    }
}

/// Quotes a word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn unusable(folder: &Path, error: &io::Error) -> Error {
    Error::new(format!(
        "cannot write credentials into {}: {error}: choose a new folder, or a writable one that only you can enter",
        folder.display()
    ))
}
