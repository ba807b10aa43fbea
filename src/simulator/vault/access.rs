//! What a client may do (contract 1.5).

use crate::simulator::{
    data::{Client, Permission},
    vault::{
        credential::Credential,
        refusal::{self, Refusal},
    },
};

impl Client {
    /// Whether PAM Core is open to it at all.
    pub(crate) fn may_read(&self) -> Result<(), Refusal> {
        if self.authorized {
            Ok(())
        } else {
            Err(refusal::NOT_AUTHORIZED)
        }
    }

    /// Whether it may also write.
    pub(crate) fn may_write(&self) -> Result<(), Refusal> {
        self.may_read()?;
        if self.permission == Permission::ReadWrite {
            Ok(())
        } else {
            Err(refusal::READ_ONLY)
        }
    }

    /// It sees what it created, and what an administrator lets it see.
    pub(crate) fn sees(&self, credential: &Credential) -> bool {
        self.credentials
            .as_ref()
            .is_none_or(|visible| visible.contains(&credential.id))
            || credential.created_by.as_deref() == Some(&self.id)
    }
}
