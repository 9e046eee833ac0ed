//! Which kinds of values each call wants, from the table of system calls.

use syscall::SystemCall;

/// What an argument is.
#[derive(Clone, Copy)]
pub enum Kind {
    Handle,
    /// Flags, with an alignment in the top byte for some.
    Options,
    /// One of a few numbers: a topic, a property, an operation or a kind of features.
    Choice,
    Address,
    Number,
}

/// A call that answers with a status, and what it wants.
pub type Signature = (SystemCall, &'static [Kind]);

macro_rules! kind {
    (input $type:ident) => {
        Kind::Address
    };
    (output $type:ident) => {
        Kind::Address
    };
    (value HandleValue) => {
        Kind::Handle
    };
    (value VmOptions) => {
        Kind::Options
    };
    (value VmoOptions) => {
        Kind::Options
    };
    (value ProcessOptions) => {
        Kind::Options
    };
    (value Rights) => {
        Kind::Options
    };
    (value Signals) => {
        Kind::Options
    };
    (value Topic) => {
        Kind::Choice
    };
    (value Property) => {
        Kind::Choice
    };
    (value VmarOp) => {
        Kind::Choice
    };
    (value VmoOp) => {
        Kind::Choice
    };
    (value VmoChildOptions) => {
        Kind::Options
    };
    (value TransferDataOptions) => {
        Kind::Choice
    };
    (value ResourceOptions) => {
        Kind::Options
    };
    (value IommuType) => {
        Kind::Choice
    };
    (value FeatureKind) => {
        Kind::Choice
    };
    (value $type:ident) => {
        Kind::Number
    };
}

macro_rules! signatures {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $stub:ident($($argument:ident: $kind:ident $type:ident),* $(,)?)
            -> $result:ident $($value:ident)?;
    )*) => {
        pub const SIGNATURES: [Signature; SystemCall::COUNT] =
            [$((SystemCall::$name, &[$(kind!($kind $type)),*])),*];
    };
}

syscall::for_each_system_call!(signatures);
