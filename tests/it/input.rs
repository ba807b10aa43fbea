//! What bad input gets: Secrets, connections, a PAM that is slow or gone, flags and files. Always a reason, a way out,
//! and no harm; and it goes on by itself when the cause is gone.

mod addresses;
mod command_line;
mod connections;
mod outages;
mod secrets;
mod suspension;
