"""The libraries of the other languages that their tools name when they are missing."""

from __future__ import annotations

import re

from flextune.judging.libraries.libraries import Libraries, names


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


_NODE = names("""
    lodash underscore ramda immutable mathjs moment dayjs luxon date-fns async bluebird rxjs axios node-fetch
    express koa react react-dom vue jquery cheerio jsdom chai mocha jest sinon chalk commander yargs minimist
    uuid big-integer big.js bignumber.js decimal.js bn.js typescript fp-ts zod
""")
_PERL = """
    Moose Moo Mouse Try::Tiny List::MoreUtils List::AllUtils List::UtilsBy JSON JSON::XS Readonly DateTime
    Math::Prime::Util Math::BigInt::GMP Text::CSV Test::Most Test::Exception Set::Scalar
    Algorithm::Combinatorics Const::Fast Array::Utils Data::Compare Text::Trim Test::Deep
"""
# Functions of PHP's extensions, which are packages of their own.
_PHP = {
    "mbstring": """
        mb_check_encoding mb_chr mb_convert_case mb_convert_encoding mb_detect_encoding mb_internal_encoding
        mb_ord mb_str_split mb_strimwidth mb_stripos mb_strlen mb_strpos mb_strripos mb_strrpos mb_strstr
        mb_strtolower mb_strtoupper mb_strwidth mb_substr mb_substr_count
    """,
    "gmp": """
        gmp_abs gmp_add gmp_cmp gmp_div gmp_div_q gmp_div_r gmp_fact gmp_gcd gmp_init gmp_intval gmp_invert
        gmp_mod gmp_mul gmp_neg gmp_nextprime gmp_pow gmp_powm gmp_prob_prime gmp_sign gmp_sqrt gmp_strval
        gmp_sub
    """,
    "bcmath": "bcadd bccomp bcdiv bcmod bcmul bcpow bcpowmod bcscale bcsqrt bcsub",
    "intl": "grapheme_strlen grapheme_substr grapheme_strpos",
}
_RUST = names("""
    rand regex itertools lazy_static once_cell num num_bigint num_traits num_integer num_rational chrono serde
    serde_json rayon anyhow thiserror ndarray nalgebra petgraph md5 sha2 hex base64 tokio futures
    unicode_segmentation indexmap maplit permutohedron primal
""")

_NODE_MISSING = (
    r"^(?:Error: |Error \[ERR_MODULE_NOT_FOUND\]: |main\.ts.* error TS\d+: )"
    r"Cannot find (?:module|package) '(?P<name>@?[\w.-]+(?:/[\w.-]+)*)'"
)
_JAVASCRIPT = Libraries(
    missing=_lines(_NODE_MISSING),
    known=_NODE,
    imports=re.compile(r"(?:\brequire\(\s*|\bfrom\s+|^import\s+)['\"](?P<name>[\w@][^'\"]*)", re.MULTILINE),
    install="apt-get install node-{package}",
)

OTHERS: dict[str, Libraries] = {
    "js": _JAVASCRIPT,
    "ts": _JAVASCRIPT,
    "rb": Libraries(
        missing=_lines(r"cannot load such file -- (?P<name>\w[\w/-]*)(?: \(LoadError\))?$"),
        known=names("""
            nokogiri active_support=activesupport active_model=activemodel active_record=activerecord rspec
            algorithms rbtree numo=numo-narray nmatrix sinatra rails httparty faraday gmp prime matrix
            minitest pry bigdecimal
        """),
        imports=_lines(r"^[ \t]*require[ \t(]+['\"](?P<name>[\w/-]+)"),
        install="apt-get install ruby-{package}",
    ),
    "pl": Libraries(
        missing=_lines(r"^Can't locate \S+ in @INC \(you may need to install the (?P<name>[\w:]+) module\)"),
        known={name: f"lib{name.lower().replace('::', '-')}-perl" for name in _PERL.split()},
        imports=_lines(r"^[ \t]*use[ \t]+(?P<name>[\w:]+)"),
        install="apt-get install {package}",
        separators="",
    ),
    "lua": Libraries(
        missing=_lines(r"\bno field package\.preload\['(?P<name>[\w.]+)'\]"),
        known=names("cjson dkjson json pl=penlight lpeg lfs=filesystem socket inspect bint luaunit=unit"),
        imports=re.compile(r"\brequire[ \t(]*['\"](?P<name>[\w.]+)"),
        install="apt-get install lua-{package}",
    ),
    "php": Libraries(
        missing=_lines(r"Call to undefined function (?P<name>\w+)\(\)"),
        known={name: package for package, text in _PHP.items() for name in text.split()},
        # Extensions are not imported.
        imports=_lines(r"(?!)(?P<name>)"),
        install="apt-get install php-{package}",
    ),
    "r": Libraries(
        # After ``require`` the program goes on, to the first function that it lacks.
        missing=_lines(
            r"(?:^Error in (?:library|loadNamespace)\([^\n]*\) : there is|"
            r"there is(?=[\s\S]*could not find function)) no package called [\u2018'](?P<name>[\w.]+)"
        ),
        known=names("""
            stringr dplyr purrr tidyr tibble readr ggplot2 tidyverse magrittr stringi data.table lubridate
            rlang gmp numbers hash R6=r6 testthat gtools combinat zoo digest openssl jsonlite bit64 Rcpp=rcpp
            matrixStats=matrixstats R.utils=r.utils schoolmath primes pracma
        """),
        imports=_lines(r"\b(?:library|require|requireNamespace)\([ '\"]*(?P<name>[\w.]+)"),
        install="apt-get install r-cran-{package}",
        separators="",
    ),
    "cpp": Libraries(
        missing=_lines(r"fatal error: (?P<name>[\w./+-]+): No such file or directory"),
        known=names("""
            boost=libboost-all-dev Eigen=libeigen3-dev gmp.h=libgmp-dev gmpxx.h=libgmp-dev fmt=libfmt-dev
            nlohmann=nlohmann-json3-dev absl=libabsl-dev gtest=libgtest-dev catch2=catch2
            openssl=libssl-dev range=librange-v3-dev tbb=libtbb-dev mpfr.h=libmpfr-dev
        """),
        imports=_lines(r"^[ \t]*#[ \t]*include[ \t]*[<\"](?P<name>[^>\"]+)"),
        install="apt-get install {package}",
        separators="/",
    ),
    "java": Libraries(
        missing=_lines(r"error: package (?P<name>[\w.]+) does not exist"),
        known=names("""
            org.apache.commons com.google.common com.google.gson com.fasterxml.jackson org.junit junit
            org.json org.javatuples org.hamcrest org.mockito org.testng lombok javafx.util io.vavr org.assertj
            javax.xml.bind org.springframework org.apache.poi it.unimi.dsi gnu.trove
        """),
        imports=_lines(r"^[ \t]*import[ \t]+(?:static[ \t]+)?(?P<name>[\w.]+)\.[\w*]+[ \t]*;"),
        install="",
    ),
    "scala": Libraries(
        missing=_lines(r"error: not found: (?:object|value) (?P<name>\w+)$"),
        known=names("cats scalaz zio akka shapeless"),
        imports=_lines(r"^[ \t]*import[ \t]+(?P<name>\w+)"),
        install="",
    ),
    "go": Libraries(
        missing=_lines(r"could not import (?P<name>[\w./-]+) \(open : no such file or directory\)"),
        known=names("""
            github.com/stretchr/testify github.com/emirpasic/gods github.com/google/go-cmp
            github.com/samber/lo golang.org/x gonum.org/v1/gonum
        """),
        imports=_lines(r"^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?\"(?P<name>[\w.-]+(?:/[\w.-]+)*)\"[ \t]*$"),
        install="",
        separators="/",
    ),
    "rs": Libraries(
        missing=_lines(
            r"^error\[E(?:0432|0433|0463)\]: (?:unresolved import|can't find crate for|"
            r"cannot find module or crate|failed to resolve: [^`\n]*) `(?P<name>\w+)"
        ),
        known=_RUST,
        imports=_lines(r"^[ \t]*(?:use|extern[ \t]+crate)[ \t]+(?:::)?(?P<name>\w+)"),
        install="",
    ),
    "cs": Libraries(
        missing=_lines(r"error CS(?:0246|0234): The type or namespace name [`'](?P<name>\w+)'"),
        known=names("Newtonsoft NUnit Xunit MathNet Moq FluentAssertions MoreLinq Microsoft.VisualStudio"),
        imports=_lines(r"^[ \t]*using[ \t]+(?P<name>\w+)"),
        install="",
    ),
    "d": Libraries(
        missing=_lines(r"Expected '(?P<name>\w+)/[\w/]+\.d'"),
        known=names("mir dub vibe emsi_containers=emsi-containers fluent"),
        imports=_lines(r"^[ \t]*import[ \t]+(?P<name>\w+)"),
        install="",
    ),
    "rkt": Libraries(
        missing=_lines(
            r"(?:cannot open module file|collection not found)\n\s+(?:for )?module path: (?P<name>[\w/-]+)"
        ),
        known=names("threading math data/heap srfi rackunit gregor graph collections pfds relation"),
        imports=_lines(r"\(require[ \t]+(?P<name>[\w/-]+)"),
        install="raco pkg install {package}",
        separators="/",
    ),
}
