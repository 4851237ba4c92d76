//! Passwords: of the server, and of the account that the user has or makes. They are asked for at a prompt that does not
//! show them, and kept as long as the client runs, because a connection that breaks is made again.

use super::{Conversation, Pending, is_code};
use crate::chat::client::Typing;
use crate::chat::command::Command;
use crate::wire::frame::{self, Account};
use crate::wire::header::put;
use crate::wire::{AccountCode, CredentialsCode, Flags, RefusalCode};
use std::fmt;

/// What is given when a connection is made.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// That of the server.
    pub server_password: Option<String>,
    pub login: Option<Login>,
    /// The account is made first.
    pub register: bool,
}

impl Credentials {
    /// What is said before hello, as frames: refusals of it are refusals to come in.
    pub fn frames(&self) -> Vec<u8> {
        let mut frames = Vec::new();
        let Credentials { server_password, login, register } = self;
        if let Some(password) = server_password {
            put(&mut frames, Flags::NONE, 0, &given(0, CredentialsCode::Server, "", password, ""));
        }
        if let Some(Login { account, password }) = login
            && !register
        {
            put(&mut frames, Flags::NONE, 0, &given(0, CredentialsCode::Identify, account, password, ""));
        }
        frames
    }
}

/// An account and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub account: String,
    pub password: String,
}

/// What the server was asked for, and has not answered.
pub enum Asked {
    Register(Login),
    LogIn(Login),
    Change { new: String },
    LogOut,
    Delete,
}

/// What the prompt asks a password for, and what was given so far.
pub enum Wants {
    /// The password twice, as a slip would be one for good.
    Register {
        first: Option<String>,
    },
    LogIn {
        account: String,
    },
    Change {
        old: Option<String>,
        new: Option<String>,
    },
    Delete,
}

impl Wants {
    pub(super) fn question(&self) -> String {
        let what = match self {
            Wants::Register { first: None } => "Password for your account: ",
            Wants::Register { first: Some(_) } | Wants::Change { new: Some(_), .. } => "Again: ",
            Wants::LogIn { account } => return format!("Password of {account}: "),
            Wants::Change { old: None, .. } | Wants::Delete => "Your present password: ",
            Wants::Change { old: Some(_), new: None } => "The new one: ",
        };
        what.to_owned()
    }
}

impl Conversation {
    pub fn log_in_with(&mut self, credentials: Credentials) {
        self.credentials = credentials;
    }

    /// What is said before hello, as frames.
    pub fn credentials(&self) -> Vec<u8> {
        self.credentials.frames()
    }

    /// Whether what is typed at the next prompt is shown.
    pub fn typing(&self) -> Typing {
        if self.wants.is_some() { Typing::Hidden } else { Typing::Shown }
    }

    /// Why an account that was to be made from the start was not.
    pub fn failed_account(&mut self) -> Option<String> {
        self.failed_account.take()
    }

    /// The server has let us in: the account that is to be made is made once.
    pub(super) fn register_at_once(&mut self) {
        if let Some(login) = self.credentials.login.take_if(|_| self.credentials.register) {
            self.credentials.register = false;
            self.register(login);
        }
    }

    fn register(&mut self, login: Login) {
        let Login { account, password } = login.clone();
        self.give(Asked::Register(login), CredentialsCode::Register, &account, &password, "");
    }

    fn give(&mut self, asked: Asked, code: CredentialsCode, name: &str, password: &str, new: &str) {
        self.request(0, Pending::Account(asked), |request| given(request, code, name, password, new));
    }

    pub(super) fn tell_account(&mut self) {
        match &self.account {
            Some(account) => self.notice(format!("you are logged in to the account {account}")),
            None => self.notice("you are logged in to no account; /register makes one, /login takes yours"),
        }
    }

    /// What is typed next is a password.
    pub(super) fn ask_password(&mut self, command: Command<'_>) {
        self.wants = match (command, &self.account) {
            (Command::Register, None) => Some(Wants::Register { first: None }),
            (Command::Login(account), None) => {
                Some(Wants::LogIn { account: account.unwrap_or(&self.nick).to_owned() })
            }
            (Command::Password, Some(_)) => Some(Wants::Change { old: None, new: None }),
            (Command::Unregister, Some(_)) => Some(Wants::Delete),
            (Command::Register | Command::Login(_), Some(account)) => {
                let account = account.clone();
                return self.trouble(format!("you are logged in to {account} already; /logout first"));
            }
            _ => return self.trouble("you are logged in to no account; /login first"),
        };
    }

    pub(super) fn log_out(&mut self) {
        self.give(Asked::LogOut, CredentialsCode::LogOut, "", "", "");
    }

    /// The line typed where the prompt asked for a password.
    pub(super) fn take_password(&mut self, wants: Wants, line: &str) {
        let password = line.to_owned();
        if password.is_empty() {
            return self.trouble("no password, so nothing was done");
        }
        if !self.online {
            return self.trouble("there is no connection now, so that was not done; it is being made again");
        }
        match wants {
            Wants::Register { first: None } => self.wants = Some(Wants::Register { first: Some(password) }),
            Wants::Register { first: Some(first) } if first == password => {
                self.register(Login { account: self.nick.clone(), password });
            }
            Wants::LogIn { account } => {
                let login = Login { account: account.clone(), password: password.clone() };
                self.give(Asked::LogIn(login), CredentialsCode::Identify, &account, &password, "");
            }
            Wants::Change { old: None, .. } => {
                self.wants = Some(Wants::Change { old: Some(password), new: None })
            }
            Wants::Change { old, new: None } => self.wants = Some(Wants::Change { old, new: Some(password) }),
            Wants::Change { old: Some(old), new: Some(new) } if new == password => {
                self.give(Asked::Change { new: new.clone() }, CredentialsCode::Change, "", &old, &new);
            }
            Wants::Register { .. } | Wants::Change { .. } => {
                self.trouble("the two passwords differ, so nothing was done");
            }
            Wants::Delete => self.give(Asked::Delete, CredentialsCode::Delete, "", &password, ""),
        }
    }

    /// What has become of our account, whether this client asked for that or another one did.
    pub(super) fn account_changed(&mut self, Account { request, code, name }: Account<'_>) {
        let asked = match self.pending.remove(&request) {
            Some(Pending::Account(asked)) => Some(asked),
            _ => None,
        };
        let code = AccountCode::from_number(code);
        match (code, asked) {
            (_, Some(Asked::Register(login) | Asked::LogIn(login))) => self.credentials.login = Some(login),
            (_, Some(Asked::Change { new })) => {
                if let Some(login) = &mut self.credentials.login {
                    login.password = new;
                }
            }
            (Some(AccountCode::LoggedOut | AccountCode::Deleted), _) => self.credentials.login = None,
            _ => {}
        }
        match code {
            Some(AccountCode::Registered | AccountCode::Identified) => self.account = Some(name.to_owned()),
            Some(AccountCode::LoggedOut | AccountCode::Deleted) => self.account = None,
            Some(AccountCode::PasswordChanged) | None => {}
        }
        self.notice(match code {
            Some(AccountCode::Registered) => {
                format!("{name} is your account now, and you are logged in to it")
            }
            Some(AccountCode::Identified) => format!("you are logged in to the account {name}"),
            Some(AccountCode::LoggedOut) => format!("you are logged out of the account {name}"),
            Some(AccountCode::PasswordChanged) => format!("{name} has the new password"),
            Some(AccountCode::Deleted) => format!("{name} is no account any more"),
            None => format!("something about the account {name} has changed that this client does not know"),
        });
    }

    pub(super) fn account_refused(&mut self, asked: Asked, code: u16, why: &str) {
        match asked {
            Asked::Register(_) if !self.interactive => self.failed_account = Some(why.to_owned()),
            Asked::LogOut if is_code(code, RefusalCode::NameReserved) => self.trouble(format!(
                "you are still logged in: {} is the account's own name, which only its owner has; /quit leaves, and \
                 another --nick without --account is nobody's account",
                self.nick
            )),
            Asked::LogOut => self.trouble(format!("you are still logged in: {why}")),
            _ => self.trouble(why),
        }
    }
}

fn given<'a>(
    request: u32,
    what: CredentialsCode,
    name: &'a str,
    password: &'a str,
    new: &'a str,
) -> frame::Credentials<'a> {
    frame::Credentials { request, what: what.number(), name, password, new }
}

/// Passwords are not for logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.login.as_ref().map(|login| &login.account);
        f.debug_struct("Credentials")
            .field("account", &account)
            .field("register", &self.register)
            .finish_non_exhaustive()
    }
}
