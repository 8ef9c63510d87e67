const HASH = new Set(["py", "rb", "sh", "pl", "r", "jl"]);
const WORDS = new RegExp(
  "^(?:abstract|and|as|async|await|boolean|break|case|catch|class|const|continue|def|default|del|do|double|elif|else|" +
    "enum|except|export|extends|false|False|final|finally|float|fn|for|from|fun|func|function|if|impl|implements|import|" +
    "in|instanceof|int|interface|is|lambda|let|long|match|mut|new|nil|None|not|null|or|package|pass|private|protected|" +
    "public|pub|raise|return|self|static|String|struct|super|switch|this|throw|throws|trait|true|True|try|type|typeof|" +
    "undefined|use|val|var|void|while|with|yield)$"
);
const tokens = new Map();

function tokensOf(language) {
  if (!tokens.has(language)) {
    const comment = HASH.has(language) ? "#[^\\n]*" : language === "lua" ? "--[^\\n]*" : "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?\\*\\/";
    const long = language === "py" ? '"""[\\s\\S]*?(?:"""|$)|' : "";
    const string = long + '"(?:\\\\.|[^"\\\\\\n])*"?|\'(?:\\\\.|[^\'\\\\\\n])*\'?';
    tokens.set(language, new RegExp(`(${comment})|(${string})|([A-Za-z_]\\w*)|(\\d[\\w.]*)`, "g"));
  }
  return tokens.get(language);
}

/** Put coloured source into an element. */
function colour(element, text, language) {
  let end = 0;
  for (const found of text.matchAll(tokensOf(language))) {
    const kind = found[1] ? "c" : found[2] ? "t" : found[4] ? "n" : WORDS.test(found[3]) ? "w" : "";
    if (!kind) continue;
    element.append(text.slice(end, found.index), page.make("span", kind, found[0]));
    end = found.index + found[0].length;
  }
  element.append(text.slice(end));
  return element;
}

const code = (text, language) => colour(page.make("pre"), text, language);
