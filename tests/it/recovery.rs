//! What is certain after a failure: changes and creates are read back, and what is read back is about the right resource.

mod changes;
mod creates;
mod responses;

use twipla_sandbox::Fault;
use twipla_tests::respond;

fn status(code: u16) -> Fault {
    Fault::new(respond(code, &[], r#"{"message":"out of order"}"#)).times(1)
}
