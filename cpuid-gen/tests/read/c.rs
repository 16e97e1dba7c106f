//! The C reader: tokens, macros, conditionals, expressions and initializers, compared with gcc where possible.

use std::collections::HashMap;
use std::fmt::Write as _;

use cpuid_gen::c::declare::{find_enum, find_function, find_struct, find_table, inside, split_commas};
use cpuid_gen::c::expand::expand;
use cpuid_gen::c::expr::{Environment, evaluate};
use cpuid_gen::c::init::parse_list;
use cpuid_gen::c::lexer::{Kind, Token, lex, string_value};
use cpuid_gen::c::macros::Macros;
use cpuid_gen::c::preprocess::{Preprocessor, Unit};
use cpuid_gen::c::{Type, Value};
use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::source::{FileId, Sources};

use crate::common::{Rng, compile_and_run, have, preprocess, scratch};

fn source(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let id = sources.add("test.c", text);
    (sources, id)
}

/// Kinds and spellings.
fn lexed(text: &str) -> Vec<(Kind, String)> {
    let (sources, id) = source(text);
    lex(&sources, id).map(|token| (token.kind, token.text.into_owned())).collect()
}

#[test]
fn tokens_match_gcc() {
    use Kind::{Char, Ident, Number, Other, Punct, Str};
    let cases: &[(&str, &[(Kind, &str)])] = &[
        ("F(3DNOW)", &[(Ident, "F"), (Punct, "("), (Number, "3DNOW"), (Punct, ")")]),
        ("0xE+1", &[(Number, "0xE+1")]),
        ("0x1F +1", &[(Number, "0x1F"), (Punct, "+"), (Number, "1")]),
        (".5e-3x", &[(Number, ".5e-3x")]),
        ("a\\\nb c", &[(Ident, "ab"), (Ident, "c")]),
        ("a \\\nb", &[(Ident, "a"), (Ident, "b")]),
        ("<<=<<<", &[(Punct, "<<="), (Punct, "<<"), (Punct, "<")]),
        ("[0 ... 3]", &[(Punct, "["), (Number, "0"), (Punct, "..."), (Number, "3"), (Punct, "]")]),
        ("\"a\\\"b\" \"/*\"", &[(Str, "\"a\\\"b\""), (Str, "\"/*\"")]),
        ("'\\''", &[(Char, "'\\''")]),
        ("x /* \"y */ z // w", &[(Ident, "x"), (Ident, "z")]),
        ("\"open\nb", &[(Other, "\""), (Ident, "open"), (Ident, "b")]),
        ("don't\n", &[(Ident, "don"), (Other, "'"), (Ident, "t")]),
        ("é@$", &[(Other, "é"), (Other, "@"), (Other, "$")]),
    ];
    for (text, tokens) in cases {
        let expected: Vec<(Kind, String)> = tokens.iter().map(|(k, t)| (*k, (*t).to_owned())).collect();
        assert_eq!(lexed(text), expected, "{text:?}");
    }
}

#[test]
fn comments_have_places() {
    let text = "a /* one\ntwo */ b // three \\\n four\nc /* open";
    let (sources, id) = source(text);
    let mut lexed = lex(&sources, id);
    let tokens: Vec<_> = lexed.by_ref().collect();
    let comments: Vec<&str> = lexed.comments.iter().map(|span| sources.text(*span)).collect();
    assert_eq!(comments, ["/* one\ntwo */", "// three \\\n four"]);
    assert_eq!(lexed.unclosed.map(|span| sources.place(span).to_string()).as_deref(), Some("test.c:4:3"));
    let starts: Vec<(&str, bool)> = tokens.iter().map(|t| (t.text.as_ref(), t.starts_line)).collect();
    // As in C, a comment is a blank: a token after a comment over two lines does not start its line.
    assert_eq!(starts, [("a", true), ("b", false), ("c", true)]);
}

#[test]
fn string_escapes_are_resolved() {
    let value = |text: &str| {
        let (sources, id) = source(text);
        string_value(&lex(&sources, id).collect::<Vec<_>>()).map_err(|(_, why)| why)
    };
    assert_eq!(value("\"a\" \"b\"").as_deref(), Ok("ab"));
    assert_eq!(value(r#""\n\t\\\"\x41\101\0""#).as_deref(), Ok("\n\t\\\"AA\0"));
    assert_eq!(value(r#""\q""#).unwrap_err(), r#""\q" has an unknown escape"#);
    assert_eq!(value(r#""\xff""#).unwrap_err(), r#""\xff" has an unknown escape"#);
}

/// Reads a text with the configuration's macros; its diagnostics must be `problems`.
fn with_unit(text: &str, problems: &str, then: impl FnOnce(&Unit<'_>, &Macros<'_>)) {
    let (mut sources, id) = source(text);
    let prelude = Preprocessor::add_prelude(&mut sources);
    let mut diagnostics = Diagnostics::new();
    let mut preprocessor = Preprocessor::new(&sources, prelude, &mut diagnostics);
    let unit = preprocessor.read(id, &mut diagnostics);
    assert_eq!(diagnostics.render(&sources), problems, "{text}");
    then(&unit, &preprocessor.macros);
}

fn spelled(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.text.as_ref()).collect::<Vec<_>>().join(" ")
}

/// Macro definitions and a text, for which gcc must produce the same tokens. gcc accepts all of them.
const EXPANSIONS: &[(&str, &str)] = &[
    ("#define A B\n#define B 1", "A B C"),
    ("#define A A + B\n#define B A", "A B"),
    ("#define f(x) x + f(x)\n#define g f", "f(f(1)) g(2) f (3) f"),
    ("#define f(x, y) [x|y]\n#define EMPTY", "f(,) f(1,) f((1,2),3) f(EMPTY, f(1, 2))"),
    ("#define f() 1\n#define g() f", "f() f( ) g()() g()"),
    ("#define s(x) #x\n#define t(x) s(x)\n#define Z 7", r#"s(Z) t(Z) s( a  b ) s("q\n") s('"') t(s(x))"#),
    ("#define c(a, b) a##b\n#define ab 9\n#define x 3", "c(a, b) c(x, 1) c(, b) c(a,) c(1, x) c(c, d)"),
    ("#define c(a, b) a ## b\n#define d(a, b) c(a, b)\n#define one 1", "d(one, 2) c(one, 2) d(d(a, b), c)"),
    ("#define v(...) <__VA_ARGS__>\n#define w(a, rest...) a:rest", "v() v(1) v(1, (2, 3)) w(1) w(1, 2, 3)"),
    (
        "#define s(...) #__VA_ARGS__\n#define t(a, rest...) #rest a",
        "s(a, b) s(a,b) s( a , b ) s(,) s(a,) t(1, 2, 3) t(1)",
    ),
    ("#define l(x) m(x)\n#define m(x) x l", "l(1)(2) m(l)(1)"),
    ("#define NUM(n) n\n#define hash #\n#define str #x", "NUM(hash) str"),
    ("#define a(x) x b\n#define b a(1", "a(2))) b)"),
    ("#define f(a) a*g\n#define g(a) f(a)", "f(2)(9)"),
    ("#define OBJ (1 + \\\n 2)\n#define CALL OBJ", "CALL /* x */ OBJ"),
    ("#define x 2\n#undef x\n#define x 3", "x"),
    ("#define AB(x) CD(x, x)\n#define CD(x, y) EF(x) - y\n#define EF(x) #x x", "AB(AB(1))"),
];

#[test]
fn macro_expansion_matches_gcc() {
    const TEST: &str = "macro_expansion_matches_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for (defines, text) in EXPANSIONS {
        let stated = preprocess(&folder, &format!("{defines}\n{text}\n"), &["-P"]).unwrap();
        with_unit(&format!("{defines}\n{text}\n"), "", |unit, macros| {
            let ours = expand(&unit.tokens, macros, macros.now());
            let ours = ours.unwrap_or_else(|diagnostic| panic!("{text}: {}", diagnostic.message));
            let stated: Vec<String> = lexed(&stated).into_iter().map(|(_, text)| text).collect();
            assert_eq!(spelled(&ours), stated.join(" "), "{defines}\n{text}");
        });
    }
}

/// The text that each conditional leaves, from gcc with the same macros.
const CONDITIONS: &[&str] = &[
    "#if 1\na\n#else\nb\n#endif",
    "#if 0\na\n#elif 2 > 1\nb\n#elif 1\nc\n#else\nd\n#endif",
    "#ifdef X\na\n#ifdef Y\nb\n#endif\n#else\n#ifndef X\nc\n#endif\n#endif",
    "#define X\n#if defined(X) && !defined Y\na\n#endif",
    "#if UNKNOWN\na\n#else\nb\n#endif",
    "#define V 0x10\n#if (V << 4) == 256 && -1 < 0 && ~0 == -1\na\n#endif",
    "#if 0\n#if 1\na\n#else\nb\n#endif\n#elif 1\nc\n#endif\nd",
    "#if 0\ndon't \"close\n#bogus\n#else\na\n#endif",
    "#define W\n#undef W\n#ifdef W\na\n#else\nb\n#endif",
    "#if 1 ? 2 : (1 / 1)\na\n#endif",
    "#if 'a' == 97\na\n#endif",
    "#\n# define S 1\n  #  if S\na\n#endif",
];

#[test]
fn conditionals_match_gcc() {
    const TEST: &str = "conditionals_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for text in CONDITIONS {
        let stated = preprocess(&folder, &format!("{text}\n"), &["-P"]).unwrap();
        with_unit(&format!("{text}\n"), "", |unit, _| {
            let stated: Vec<String> = lexed(&stated).into_iter().map(|(_, text)| text).collect();
            assert_eq!(spelled(&unit.tokens), stated.join(" "), "{text}");
        });
    }
}

#[test]
fn inactive_regions_are_recorded() {
    let text = "#ifdef NO\n#define A 1\nx\n#else\n#define B 2\ny\n#endif\n";
    with_unit(text, "", |unit, _| {
        let defines: Vec<(&str, bool)> =
            unit.defines.iter().map(|define| (define.name.text.as_ref(), define.active)).collect();
        assert_eq!(defines, [("A", false), ("B", true)]);
    });
    let (mut sources, id) = source(text);
    let prelude = Preprocessor::add_prelude(&mut sources);
    let mut diagnostics = Diagnostics::new();
    Preprocessor::new(&sources, prelude, &mut diagnostics).read(id, &mut diagnostics);
    let left_out: Vec<&str> = diagnostics.left_out.iter().map(|left| sources.text(left.region)).collect();
    assert_eq!(left_out, ["\n#define A 1\nx\n"]);
}

#[test]
fn a_macro_is_visible_after_its_definition() {
    with_unit(
        "#define N 1\nenum a { X = N };\n#undef N\n#define N 2\nenum b { Y = N };\n",
        "",
        |unit, macros| {
            let (mut names, mut diagnostics) = (HashMap::new(), Diagnostics::new());
            find_enum(unit, "a", macros, &mut names, &mut diagnostics);
            find_enum(unit, "b", macros, &mut names, &mut diagnostics);
            assert!(diagnostics.is_empty());
            assert_eq!((names["X"].number(), names["Y"].number()), (1, 2));
        },
    );
}

#[test]
fn enumerators_continue_from_the_previous_value() {
    let text = "enum e { A, B = 5, C, D = C * 2, E = -1, F, G = 1 << 4 | 1, };";
    with_unit(text, "", |unit, macros| {
        let (mut names, mut diagnostics) = (HashMap::new(), Diagnostics::new());
        let found = find_enum(unit, "e", macros, &mut names, &mut diagnostics).unwrap();
        let values: Vec<i128> = found.iter().map(|enumerator| enumerator.value).collect();
        assert_eq!(values, [0, 5, 6, 12, -1, 0, 17]);
        assert!(diagnostics.is_empty());
    });
}

#[test]
fn declarations_are_found() {
    let text = "int use(void); static const struct s table[N] = { 1, { 2, 3 }, };\n\
        struct s { unsigned int a; u8 *b, c; };\nstatic int use(void) { return 1; }";
    with_unit(text, "", |unit, _| {
        assert_eq!(find_struct(unit, "s").unwrap().unwrap(), ["a", "b", "c"]);
        let (open, _) = find_table(unit, "table").unwrap();
        let parts = split_commas(inside(&unit.tokens, open).unwrap());
        assert_eq!(parts.iter().map(|part| spelled(part)).collect::<Vec<_>>(), ["1", "{ 2 , 3 }"]);
        let (body, _) = find_function(unit, "use").unwrap().unwrap();
        assert_eq!(spelled(body), "return 1 ;");
        assert!(find_struct(unit, "t").unwrap().is_none() && find_table(unit, "use").is_none());
    });
}

#[test]
fn initializers_have_gaps_ranges_and_paths() {
    let text = "{ 7, [3] = 1, 2, [6 ... 8] = 5, [1] = 9 }";
    with_unit(text, "", |unit, macros| {
        let names = HashMap::new();
        let environment = Environment::new(macros, macros.now(), &names);
        let tokens = inside(&unit.tokens, 0).unwrap();
        let list = parse_list(tokens, tokens[0].span).unwrap();
        let values: Vec<(u64, i128)> = list
            .elements(9, &environment)
            .unwrap()
            .into_iter()
            .map(|(index, value)| (index, value.integer(&environment).unwrap().number()))
            .collect();
        assert_eq!(values, [(0, 7), (1, 9), (3, 1), (4, 2), (6, 5), (7, 5), (8, 5)]);
        assert_eq!(list.elements(8, &environment).unwrap_err().message, "element 8: the array has 8");
    });
    with_unit("{ .b.c = 1, .a = { .d = 2, .e = { 3, 4 } }, .b = { .f = 5 } }", "", |unit, _| {
        let tokens = inside(&unit.tokens, 0).unwrap();
        let list = parse_list(tokens, tokens[0].span).unwrap();
        let paths: Vec<String> = list.paths().unwrap().into_keys().collect();
        assert_eq!(paths, ["a.d", "a.e", "b.c", "b.f"]);
    });
}

/// The reader's value with its type, or its error.
fn value_of(text: &str) -> Result<Value, String> {
    let (sources, id) = source(text);
    let macros = Macros::default();
    let mut names = HashMap::new();
    names.insert("ENUM".to_owned(), Value::int(5));
    let tokens: Vec<_> = lex(&sources, id).collect();
    let environment = Environment::new(&macros, macros.now(), &names);
    evaluate(&tokens, sources.span(id, 0, 0), &environment).map_err(|diagnostic| diagnostic.message)
}

const LEAVES: [&str; 26] = [
    "0",
    "1",
    "2",
    "31",
    "32",
    "63",
    "0x7fffffff",
    "0x80000000",
    "0xffffffff",
    "2147483647",
    "2147483648",
    "4294967295",
    "0x8000000000000000",
    "9223372036854775807",
    "017",
    "0b101",
    "1u",
    "3L",
    "5UL",
    "7ll",
    "9Ull",
    "0xffffffffffffffffLLU",
    "'a'",
    "'\\n'",
    "'\\x41'",
    "ENUM",
];
const BINARY: [&str; 18] =
    ["+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "&&", "||", "==", "!=", "<", ">", "<=", ">="];
const CASTS: [&str; 12] = [
    "int",
    "unsigned",
    "unsigned int",
    "long",
    "unsigned long long",
    "long unsigned int",
    "uint8_t",
    "int8_t",
    "uint16_t",
    "short",
    "uint32_t",
    "uint64_t",
];

fn expression(rng: &mut Rng, depth: usize) -> String {
    if depth == 0 || rng.below(6) == 0 {
        return (*rng.pick(&LEAVES)).to_owned();
    }
    let inner = |rng: &mut Rng| expression(rng, depth - 1);
    match rng.below(12) {
        0 => format!("({})", inner(rng)),
        1 => format!("{} {}", rng.pick(&["-", "~", "!", "+"]), inner(rng)),
        2 => format!("({}){}", rng.pick(&CASTS), inner(rng)),
        3 => format!("({} ? {} : {})", inner(rng), inner(rng), inner(rng)),
        // Without parentheses, to test precedence.
        4..=8 => format!("{} {} {}", inner(rng), rng.pick(&BINARY), inner(rng)),
        _ => format!("({} {} {})", inner(rng), rng.pick(&BINARY), inner(rng)),
    }
}

#[test]
fn expression_values_and_types_match_gcc() {
    const TEST: &str = "expression_values_and_types_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    let mut rng = Rng(3);
    let mut accepted = Vec::new();
    let mut tried = 0;
    while accepted.len() < 3000 {
        tried += 1;
        let text = expression(&mut rng, 4);
        accepted.extend(value_of(&text).ok().map(|value| (text, value)));
    }
    let mut program = "#include <stdio.h>\n#include <stdint.h>\nenum { ENUM = 5 };\n\
        static void print(unsigned long long v, int size, int is_signed)\n\
        { printf(\"%llx %d %d\\n\", v, size * 8, is_signed); }\n"
        .to_owned();
    for (index, chunk) in accepted.chunks(250).enumerate() {
        writeln!(program, "static void part{index}(void) {{").unwrap();
        for (text, _) in chunk {
            let signed = format!("(__typeof__({text}))-1 < (__typeof__({text}))1");
            writeln!(program, "print((unsigned long long)({text}), (int)sizeof({text}), {signed});").unwrap();
        }
        program.push_str("}\n");
    }
    program.push_str("int main(void) {\n");
    for index in 0..accepted.chunks(250).count() {
        writeln!(program, "part{index}();").unwrap();
    }
    program.push_str("}\n");
    let stated = compile_and_run(&folder, &program, &[]).unwrap();
    assert_eq!(stated.lines().count(), accepted.len());
    for ((text, value), stated) in accepted.iter().zip(stated.lines()) {
        // Converted to 64 bits, like by the cast in the program.
        let of = value.of;
        let ours = format!("{:x} {} {}", value.to(Type::ULONG).as_u64(), of.bits, u8::from(of.signed));
        assert_eq!(ours, stated, "{text}");
    }
    println!("{} expressions of {tried} accepted, each as gcc has it", accepted.len());
}

/// Expressions without a value give the reason.
#[test]
fn invalid_expressions_are_refused() {
    let refused = [
        ("", "expected a number, found the end of the expression"),
        ("1 +", "expected a number, found the end of the expression"),
        ("1 2", "expected the end of the expression, found `2`"),
        ("1 / 0", "division by zero"),
        ("1 % (1 - 1)", "division by zero"),
        ("1 << 32", "cannot shift a 32-bit value by 32"),
        ("1 << -1", "cannot shift a 32-bit value by -1"),
        ("2147483647 + 1", "`+` overflows a 32-bit value"),
        ("-(-2147483647 - 1)", "`-` overflows a 32-bit value"),
        ("0x", "`0x` is not an integer constant"),
        ("08", "`08` is not an integer constant"),
        ("1lul", "`1lul` is not an integer constant"),
        ("1lL", "`1lL` is not an integer constant"),
        ("3DNOW", "`3DNOW` is not an integer constant"),
        ("1.5", "`1.5` is not an integer constant"),
        ("18446744073709551616", "`18446744073709551616` does not fit into 64 bits"),
        ("9223372036854775808", "`9223372036854775808` does not fit into its type"),
        ("nothing", "unknown name `nothing`: neither a macro nor an enumerator"),
        ("call(1)", "unknown macro `call(`"),
        ("(1", "expected `)`, found the end of the expression"),
        ("1 ? 2", "expected `:`, found the end of the expression"),
        ("\"text\"", "expected a number, found `\"text\"`"),
        ("'ab'", "'ab' is not a single ASCII character"),
        ("*p", "expected a number, a name or `(`, found `*`"),
    ];
    for (text, why) in refused {
        assert_eq!(value_of(text).unwrap_err(), why, "{text}");
    }
    assert_eq!(value_of("0 && 1 / 0").unwrap().number(), 0);
    assert_eq!(value_of("1 ? 2 : 1 / 0").unwrap().number(), 2);
}
