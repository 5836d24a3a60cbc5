// Numbers as people write them, read strictly: what could mean two numbers is refused in words, never guessed.
// `decimals` is what the planner has said: "point" (1,234.5), "comma" (1.234,5), or "" for nothing yet.
window.plannerNumbers = (() => {
  const fault = (text) => ({ fault: text });
  const quoted = (text) => `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`;

  function read(text, decimals, isPasted) {
    const given = text.replace(/[\u00a0\u202f\u2009]/g, " ").trim();
    if (!given) return { value: "" };
    const parts = /^([+-]?)([0-9][0-9 '’.,]*|[.,][0-9]+)([eE][+-]?[0-9]+)?$/.exec(given);
    if (!parts) return fault(`${quoted(given)} is not a number. Write digits, such as 12.5.`);
    const [, sign, body, exponent = ""] = parts;
    const found = mantissa(body, decimals, isPasted);
    if (found.fault) return fault(`${quoted(given)} ${found.fault}`);
    return { value: `${sign === "-" ? "-" : ""}${found.value}${exponent}` };
  }

  function mantissa(body, decimals, isPasted) {
    const isSpaced = /[ '’]/.test(body);
    if (isSpaced && !/^[0-9]{1,3}([ '’][0-9]{3})+([.,][0-9]*)?$/.test(body)) return { fault: "has its spaces in odd places. Write the number without them." };
    const digits = body.replace(/[ '’]/g, "");
    const marks = digits.replace(/[0-9]/g, "");
    if (!marks) return { value: digits };
    const last = marks.at(-1);
    if (marks.length === 1 && (isSpaced || !/^[1-9][0-9]{0,2}[.,][0-9]{3}$/.test(digits))) return decimal(digits, last, decimals);
    if (marks.length === 1) return either(digits, last, decimals, isPasted);
    const group = marks[0];
    const hasDecimals = last !== group;
    const shape = hasDecimals ? /^[0-9]{1,3}([.,][0-9]{3})+[.,][0-9]*$/ : /^[0-9]{1,3}([.,][0-9]{3})+$/;
    const isEven = [...marks].every((mark, place) => mark === (hasDecimals && place === marks.length - 1 ? last : group));
    if (!isEven || !shape.test(digits)) return { fault: "has points or commas in odd places. Write the number without thousands marks." };
    return grouped(digits, group, decimals);
  }

  // One mark that can't stand between thousands: 1,5 or 0.25 or 12.3456
  function decimal(digits, mark, decimals) {
    if (decimals && decimals !== nameOf(mark)) return { fault: `has a decimal ${nameOf(mark)}, but decimals are said to have a ${decimals}. Correct the number, or choose the other.` };
    return { value: digits.replace(",", ".") };
  }

  // Three digits after a single mark: 1,234 or 1.234. On this page a typed point is a decimal point.
  function either(digits, mark, decimals, isPasted) {
    const [before, after] = digits.split(mark);
    if (!decimals && mark === "." && !isPasted) return { value: digits };
    if (!decimals) return { fault: `can be ${before}${after} or ${before}.${after}. Choose beside “Decimals” how the numbers are written.` };
    return { value: decimals === nameOf(mark) ? `${before}.${after}` : `${before}${after}` };
  }

  function grouped(digits, group, decimals) {
    const said = group === "," ? "point" : "comma";
    if (decimals && decimals !== said) return { fault: `has a ${nameOf(group)} between thousands, but decimals are said to have one. Correct the number, or choose the other.` };
    return { value: digits.replaceAll(group, "").replace(",", ".") };
  }

  const nameOf = (mark) => (mark === "," ? "comma" : "point");

  // 1234.5 -> 1,234.5, as all numbers of the site are shown
  function shown(value) {
    const parts = /^(-?[0-9]+)(.*)$/.exec(value);
    return parts ? parts[1].replace(/\B(?=([0-9]{3})+$)/g, ",") + parts[2] : value;
  }

  const isSame = (one, other) => one === other || (one !== "" && other !== "" && Number(one) === Number(other));

  return { read, shown, isSame };
})();
