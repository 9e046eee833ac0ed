//! The attribute that registers an in-kernel test.
//!
//! [`macro@ktest`] turns a function without arguments into a test that the kernel's test runner
//! finds in a linker section, without a list that somebody must keep:
//!
//! ```ignore
//! #[ktest]
//! fn a_fresh_page_reads_zero() {
//!     assert_eq!(fresh_page().first_byte(), 0);
//! }
//!
//! #[ktest(should_panic)]
//! fn freeing_a_frame_twice_panics() { … }
//!
//! #[ktest(ignore)]
//! fn takes_minutes() { … }
//! ```
//!
//! The function and its registration exist in test builds only, so that the attribute needs no
//! `#[cfg(test)]` beside it.

use proc_macro::TokenStream;
use proc_macro2::Span;
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Ident, ItemFn, ReturnType, Token, parse_macro_input};

/// Registers a function `fn name()` as an in-kernel test.
///
/// Arguments, separated by commas: `ignore` lists the test without running it; `should_panic`
/// makes it pass exactly if it panics.
#[proc_macro_attribute]
pub fn ktest(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    match Options::parse(arguments).and_then(|options| register(&options, &function)) {
        Ok(tokens) => tokens.into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// What the attribute's arguments ask for.
#[derive(Default)]
struct Options {
    ignore: bool,
    should_panic: bool,
}

impl Options {
    fn parse(arguments: TokenStream) -> syn::Result<Self> {
        let words = Punctuated::<Ident, Token![,]>::parse_terminated.parse(arguments)?;
        let mut options = Self::default();
        for word in words {
            let flag = match word.to_string().as_str() {
                "ignore" => &mut options.ignore,
                "should_panic" => &mut options.should_panic,
                _ => {
                    return Err(Error::new(
                        word.span(),
                        "expected `ignore` or `should_panic`",
                    ));
                }
            };
            if core::mem::replace(flag, true) {
                return Err(Error::new(word.span(), "given twice"));
            }
        }
        Ok(options)
    }
}

/// The function itself and the static that the runner finds.
fn register(options: &Options, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    check_signature(function)?;
    let name = &function.sig.ident;
    // `line!()` names the line of the span it carries: the function's own, not the attribute's.
    let line = quote_spanned!(Span::call_site().located_at(name.span()) => line!());
    let mode = match (options.ignore, options.should_panic) {
        (true, _) => quote!(Ignore),
        (false, true) => quote!(ShouldPanic),
        (false, false) => quote!(Run),
    };
    Ok(quote! {
        #[cfg(test)]
        #function

        #[cfg(test)]
        #[allow(unsafe_code, reason = "a static that is put into a section of its own")]
        const _: () = {
            #[::linkme::distributed_slice(crate::ktest::TESTS)]
            static TEST: crate::ktest::Test = crate::ktest::Test {
                module: module_path!(),
                name: stringify!(#name),
                file: file!(),
                line: #line,
                mode: crate::ktest::Mode::#mode,
                run: #name,
            };
        };
    })
}

/// Refuses what the runner could not call as `fn()`.
fn check_signature(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    let plain = signature.inputs.is_empty()
        && signature.generics.params.is_empty()
        && signature.asyncness.is_none()
        && signature.unsafety.is_none()
        && matches!(signature.output, ReturnType::Default);
    if plain {
        return Ok(());
    }
    Err(Error::new_spanned(
        signature,
        "a kernel test is a plain `fn name()`",
    ))
}
