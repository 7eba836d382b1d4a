//! Decides which change brings a subscription to its wanted state.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use twipla::PackageId;
use twipla::types::{Package, SubscriptionStatus, Website};

use crate::catalogue::Catalogue;

/// The state of a subscription, as a website shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The current package.
    pub package: PackageId,
    /// The package that follows at the end of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PackageId>,
    /// Active, canceled or inactive.
    pub status: Status,
}

/// The status of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It continues.
    Active,
    /// It ends at the end of the period.
    Canceled,
    /// It has ended.
    Inactive,
    /// A status that this version does not know.
    Unknown,
}

/// The wanted state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// On this package, now or from the end of the period on.
    Package(PackageId),
    /// Canceled: nothing more is paid from the end of the period on.
    Canceled,
}

/// One change of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// To a larger package, immediately.
    Upgrade,
    /// To a smaller package, at the end of the period.
    Downgrade,
    /// Ends it at the end of the period.
    Cancel,
    /// Revokes a cancellation.
    Resume,
}

/// The decision on a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Nothing,
    /// Make this change, to this target.
    Change(Step, Target),
    /// Revoke the cancellation first, keeping the current package; then make this change.
    ResumeFirst(PackageId, Step),
    /// The API has no operation for it; the text completes "cannot …".
    Impossible(String),
}

impl Standing {
    pub(crate) fn of(website: &Website) -> Self {
        Self {
            package: website.package_id,
            planned: website.planned_downgrade_package_id,
            status: match website.status {
                SubscriptionStatus::Active => Status::Active,
                SubscriptionStatus::Canceled => Status::Canceled,
                SubscriptionStatus::Inactive => Status::Inactive,
                _ => Status::Unknown,
            },
        }
    }

    /// Returns the package that will be paid for in the long run.
    pub(crate) fn lasting(&self) -> Option<PackageId> {
        match self.status {
            Status::Inactive => None,
            _ => Some(self.planned.unwrap_or(self.package)),
        }
    }

    /// Returns the state after a change.
    pub(crate) fn after(self, to: Target, step: Step) -> Self {
        match (step, to) {
            (Step::Upgrade, Target::Package(package)) => Self {
                package,
                planned: None,
                status: Status::Active,
            },
            (Step::Downgrade, Target::Package(package)) => Self {
                planned: Some(package),
                status: Status::Active,
                ..self
            },
            (Step::Resume, _) => Self {
                planned: None,
                status: Status::Active,
                ..self
            },
            (Step::Cancel, _) | (Step::Upgrade | Step::Downgrade, Target::Canceled) => Self {
                status: Status::Canceled,
                ..self
            },
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Canceled => "canceled",
            Self::Inactive => "inactive",
            Self::Unknown => "unknown",
        })
    }
}

/// Decides on a change. `shared` means that it is the subscription of an account, which cannot be
/// upgraded while it is canceled (observed).
pub(crate) fn decide(now: Standing, to: Target, shared: bool, packages: &Catalogue) -> Decision {
    match now.status {
        Status::Inactive => {
            return Decision::Impossible("change an inactive subscription".to_owned());
        }
        Status::Unknown => {
            return Decision::Impossible(
                "change a subscription with a status that this version does not know".to_owned(),
            );
        }
        Status::Active | Status::Canceled => {}
    }
    let is_canceled = now.status == Status::Canceled;
    match to {
        Target::Canceled if is_canceled || packages.is_free(now.planned.unwrap_or(now.package)) => {
            Decision::Nothing
        }
        Target::Canceled => Decision::Change(Step::Cancel, to),
        // A cancellation also plans a downgrade to the free package, so this comes first.
        Target::Package(package) if now.package == package && is_canceled => {
            Decision::Change(Step::Resume, to)
        }
        Target::Package(package) if now.planned == Some(package) => Decision::Nothing,
        Target::Package(package) if now.package == package => match now.planned {
            None => Decision::Nothing,
            Some(planned) => Decision::Impossible(format!(
                "stay on {}: a downgrade to {} is planned, and the API cannot revoke it",
                packages.name(package),
                packages.name(planned)
            )),
        },
        Target::Package(package) => match (packages.get(now.package), packages.get(package)) {
            (Some(current), Some(wanted)) => move_to(current, wanted, is_canceled && shared),
            _ => Decision::Impossible(format!(
                "move from {} to {}: the partner's list does not contain both",
                packages.name(now.package),
                packages.name(package)
            )),
        },
    }
}

/// Decides on a move. The unlimited trial has -1 touchpoints, and every package is an upgrade from it (observed).
fn move_to(current: &Package, wanted: &Package, must_resume: bool) -> Decision {
    let to = Target::Package(wanted.id);
    match wanted.touchpoints.cmp(&current.touchpoints) {
        Ordering::Greater if must_resume => Decision::ResumeFirst(current.id, Step::Upgrade),
        Ordering::Greater => Decision::Change(Step::Upgrade, to),
        Ordering::Less => Decision::Change(Step::Downgrade, to),
        Ordering::Equal => Decision::Impossible(format!(
            "move from {} to {}: they have the same number of touchpoints, and the API upgrades to more and downgrades to fewer",
            current.name, wanted.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FREE: &str = "00000000-0000-4000-8000-000000000000";
    const BASIC: &str = "00000000-0000-4000-8000-000000000001";
    const PRO: &str = "00000000-0000-4000-8000-000000000002";
    const PRO_YEARLY: &str = "00000000-0000-4000-8000-000000000003";
    const TRIAL: &str = "00000000-0000-4000-8000-000000000004";

    fn id(text: &str) -> PackageId {
        PackageId::new(text).unwrap()
    }

    fn packages() -> Catalogue {
        let package = |id: &str, name: &str, touchpoints: i64, price: f64| {
            serde_json::from_value(json!({
                "id": id, "name": name, "touchpoints": touchpoints, "price": price, "intpId": id,
                "currency": "EUR", "period": "monthly", "visibility": "public",
                "recommended": false, "createdAt": "2026-01-01T00:00:00Z",
            }))
            .unwrap()
        };
        Catalogue::new(vec![
            package(FREE, "Free", 0, 0.0),
            package(BASIC, "Basic", 10, 1.0),
            package(PRO, "Pro", 20, 2.0),
            package(PRO_YEARLY, "Pro yearly", 20, 20.0),
            package(TRIAL, "Trial", -1, 0.0),
        ])
    }

    #[test]
    fn every_state_has_its_change() {
        use Status::{Active, Canceled, Inactive, Unknown};
        let nothing = Decision::Nothing;
        let change = |step| move |to| Decision::Change(step, to);
        let (up, down) = (change(Step::Upgrade), change(Step::Downgrade));
        let resume = change(Step::Resume);
        let cancel = Decision::Change(Step::Cancel, Target::Canceled);
        let to = |package| Target::Package(id(package));
        let none = Decision::Impossible(String::new());
        for (package, planned, status, target, shared, expected) in [
            (BASIC, None, Active, to(BASIC), false, nothing.clone()),
            (BASIC, None, Active, to(PRO), false, up(to(PRO))),
            (PRO, None, Active, to(BASIC), false, down(to(BASIC))),
            (PRO, Some(BASIC), Active, to(BASIC), false, nothing.clone()),
            (PRO, Some(BASIC), Active, to(FREE), false, down(to(FREE))),
            (PRO, Some(BASIC), Active, to(PRO), false, none.clone()),
            (PRO, None, Active, to(PRO_YEARLY), false, none.clone()),
            (TRIAL, None, Active, to(BASIC), false, up(to(BASIC))),
            (TRIAL, None, Active, to(FREE), false, up(to(FREE))),
            (PRO, None, Active, Target::Canceled, false, cancel.clone()),
            (PRO, Some(BASIC), Active, Target::Canceled, false, cancel),
            (
                PRO,
                Some(FREE),
                Active,
                Target::Canceled,
                false,
                nothing.clone(),
            ),
            (FREE, None, Active, Target::Canceled, false, nothing.clone()),
            (
                PRO,
                Some(FREE),
                Canceled,
                Target::Canceled,
                false,
                nothing.clone(),
            ),
            (PRO, Some(FREE), Canceled, to(PRO), false, resume(to(PRO))),
            (PRO, Some(FREE), Canceled, to(FREE), false, nothing.clone()),
            (
                FREE,
                Some(FREE),
                Canceled,
                to(FREE),
                false,
                resume(to(FREE)),
            ),
            (PRO, Some(FREE), Canceled, to(BASIC), false, down(to(BASIC))),
            (BASIC, Some(FREE), Canceled, to(PRO), false, up(to(PRO))),
            (
                BASIC,
                Some(FREE),
                Canceled,
                to(PRO),
                true,
                Decision::ResumeFirst(id(BASIC), Step::Upgrade),
            ),
            (PRO, None, Inactive, to(PRO), false, none.clone()),
            (PRO, None, Inactive, Target::Canceled, false, none.clone()),
            (PRO, None, Unknown, to(BASIC), false, none.clone()),
        ] {
            let now = Standing {
                package: id(package),
                planned: planned.map(id),
                status,
            };
            let decision = match decide(now, target, shared, &packages()) {
                Decision::Impossible(why) => {
                    assert!(!why.is_empty());
                    none.clone()
                }
                decision => decision,
            };
            assert_eq!(decision, expected, "{now:?} to {target:?}");
        }
    }

    #[test]
    fn nothing_is_left_to_do_after_the_changes() {
        let packages = packages();
        for package in [FREE, BASIC, PRO, PRO_YEARLY, TRIAL] {
            for planned in [None, Some(FREE), Some(BASIC)] {
                for (status, shared) in [
                    (Status::Active, true),
                    (Status::Canceled, true),
                    (Status::Canceled, false),
                ] {
                    for target in [FREE, BASIC, PRO].map(|wanted| Target::Package(id(wanted))) {
                        let mut now = Standing {
                            package: id(package),
                            planned: planned.map(id),
                            status,
                        };
                        loop {
                            match decide(now, target, shared, &packages) {
                                Decision::Nothing | Decision::Impossible(_) => break,
                                Decision::Change(step, to) => {
                                    now = now.after(to, step);
                                    assert_eq!(
                                        decide(now, target, shared, &packages),
                                        Decision::Nothing,
                                        "{now:?} to {target:?}"
                                    );
                                }
                                Decision::ResumeFirst(to, step) => {
                                    now = now.after(Target::Package(to), Step::Resume);
                                    now = now.after(target, step);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
