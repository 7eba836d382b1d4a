//! The roles on a website, as one list.

use twipla::CustomerId;
use twipla::types::{Contributor, ContributorRole, ContributorsByRole};

/// Returns each contributor with their role.
pub(crate) fn roles(shown: &ContributorsByRole) -> Vec<(CustomerId, ContributorRole)> {
    let of = |list: &[Contributor], role: ContributorRole| {
        let ids = list.iter().map(|known| known.intp_customer_id.clone());
        ids.map(move |id| (id, role.clone())).collect::<Vec<_>>()
    };
    [
        of(&shown.editor, ContributorRole::Editor),
        of(&shown.watcher, ContributorRole::Watcher),
        of(&shown.dashboard, ContributorRole::Dashboard),
    ]
    .concat()
}
