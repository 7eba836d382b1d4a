//! Ctrl-C, and a request to terminate.

use tokio::sync::watch;

/// Says when the user, or the system, wants the program to end. Clones say the same.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on. The signals no longer end the program by themselves.
    pub(crate) fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            requested().await;
            let _ = sender.send(true);
            // Keeps the channel open: a closed one would look like an interrupt.
            std::future::pending::<()>().await;
        });
        Self(receiver)
    }

    /// Waits for the interrupt. Comes back at once where it was before.
    pub(crate) async fn wait(&self) {
        let _ = self.0.clone().wait_for(|interrupted| *interrupted).await;
    }
}

/// Waits for a request to terminate, which is for this program alone.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn requested() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}
