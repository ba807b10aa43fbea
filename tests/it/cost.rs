//! What the operator asks of the API server and of the PAM, counted: nothing that nobody needs.

mod changes;
mod restart;
