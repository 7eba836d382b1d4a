//! Prints situations in which callers were once told what was not so, then and now:
//! `cargo run -p twipla-tests --bin situations`.

#[tokio::main]
async fn main() -> twipla::Result<()> {
    print!("{}", twipla_tests::situations::table().await?);
    Ok(())
}
