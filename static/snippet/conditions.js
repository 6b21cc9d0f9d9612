// GrowthBook's conditions, operator by operator; USES says which ones the manifest has, the others are left out.
const lower = (value) => (typeof value == "string" ? value.toLowerCase() : value);
const kind = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

const at = (attributes, path) =>
  path
    .split(".")
    .reduce((value, part) => (value && typeof value == "object" && part in value ? value[part] : null), attributes);

const isOperators = (wanted) => {
  const keys = Object.keys(wanted);
  return keys[0] && keys.every((key) => key[0] == "$");
};

const isIn = (actual, values, fold = (value) => value) =>
  values.map(fold).some((value) => (Array.isArray(actual) ? actual : [actual]).map(fold).includes(value));

const found = (source, flags, actual) => {
  try {
    return RegExp(source, flags).test(actual);
  } catch {
    return null; // no regex: neither found nor not found
  }
};

/** Text that sorts as versions do: numbers padded, a release (~) after its pre-releases. */
const padded = (version) => {
  if (typeof version == "number") version += "";
  const parts = (version && typeof version == "string" ? version : "0").replace(/(^v|\+.*$)/g, "").split(/[-.]/);
  if (parts.length == 3) parts.push("~");
  return parts.map((part) => (/^\d+$/.test(part) ? part.padStart(5) : part)).join("-");
};

const passes = (name, actual, wanted) => {
  if (USES.$eq && name == "$eq") return actual === wanted;
  if (USES.$ne && name == "$ne") return actual !== wanted;
  if (USES.$lt && name == "$lt") return actual < wanted;
  if (USES.$lte && name == "$lte") return actual <= wanted;
  if (USES.$gt && name == "$gt") return actual > wanted;
  if (USES.$gte && name == "$gte") return actual >= wanted;
  if (USES.$exists && name == "$exists") return (actual != null) == !!wanted;
  if (USES.$in && name == "$in") return Array.isArray(wanted) && isIn(actual, wanted);
  if (USES.$nin && name == "$nin") return Array.isArray(wanted) && !isIn(actual, wanted);
  if (USES.$ini && name == "$ini") return Array.isArray(wanted) && isIn(actual, wanted, lower);
  if (USES.$nini && name == "$nini") return Array.isArray(wanted) && !isIn(actual, wanted, lower);
  if (USES.$regex && name == "$regex") return found(wanted, "", actual);
  if (USES.$regexi && name == "$regexi") return found(wanted, "i", actual);
  if (USES.$notRegex && name == "$notRegex") return found(wanted, "", actual) === false;
  if (USES.$notRegexi && name == "$notRegexi") return found(wanted, "i", actual) === false;
  if (USES.$not && name == "$not") return !compared(wanted, actual);
  if (USES.$size && name == "$size") return Array.isArray(actual) && compared(wanted, actual.length);
  if (USES.$elemMatch && name == "$elemMatch")
    return (
      Array.isArray(actual) &&
      actual.some((value) => value && (isOperators(wanted) ? compared(wanted, value) : satisfied(wanted, value)))
    );
  if (USES.$all && name == "$all") return every(wanted, actual);
  if (USES.$alli && name == "$alli") return every(wanted, actual, true);
  if (USES.$type && name == "$type") return kind(actual) == wanted;
  if (USES.$veq && name == "$veq") return padded(actual) == padded(wanted);
  if (USES.$vne && name == "$vne") return padded(actual) != padded(wanted);
  if (USES.$vlt && name == "$vlt") return padded(actual) < padded(wanted);
  if (USES.$vlte && name == "$vlte") return padded(actual) <= padded(wanted);
  if (USES.$vgt && name == "$vgt") return padded(actual) > padded(wanted);
  if (USES.$vgte && name == "$vgte") return padded(actual) >= padded(wanted);
};

const every = (wanted, actual, insensitive) =>
  Array.isArray(actual) && wanted.every((one) => actual.some((value) => compared(one, value, insensitive)));

/** One attribute against a plain value or an object of operators. */
const compared = (wanted, actual, insensitive) => {
  if (typeof wanted == "string") return insensitive ? lower(actual + "") == lower(wanted) : actual + "" === wanted;
  if (typeof wanted == "number") return actual * 1 === wanted;
  if (typeof wanted == "boolean") return actual !== null && !!actual === wanted;
  if (wanted === null) return actual === null;
  if (Array.isArray(wanted) || !isOperators(wanted)) return JSON.stringify(actual) === JSON.stringify(wanted);
  return Object.entries(wanted).every(([name, operand]) => passes(name, actual, operand));
};

/** Whether `attributes` satisfy `condition`. An attribute that is not there is null. */
export const satisfied = (condition, attributes) =>
  Object.entries(condition).every(([key, wanted]) => {
    const some = () => !wanted[0] || wanted.some((one) => satisfied(one, attributes));
    if (USES.$or && key == "$or") return some();
    if (USES.$nor && key == "$nor") return !some();
    if (USES.$and && key == "$and") return wanted.every((one) => satisfied(one, attributes));
    if (USES.$not && key == "$not") return !satisfied(wanted, attributes);
    return compared(wanted, at(attributes, key));
  });
