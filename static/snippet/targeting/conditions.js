// GrowthBook's conditions, operator by operator. USES says what occurs in the manifest; the rest is left out.
const lower = (value) => (typeof value == "string" ? value.toLowerCase() : value);
const kind = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

const at = (attributes, path) =>
  USES.paths
    ? path
        .split(".")
        .reduce((value, part) => (value && typeof value == "object" && part in value ? value[part] : null), attributes)
    : (attributes[path] ?? null);

const isOperators = (wanted) => {
  const keys = Object.keys(wanted);
  return keys[0] && keys.every((key) => key[0] == "$");
};

const isIn = (actual, values) => [].concat(actual).some((value) => values.includes(value));
const isInFolded = (actual, values) => isIn([].concat(actual).map(lower), values.map(lower));

const search = (source, flags, actual) => {
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

const every = (wanted, actual, folded) =>
  Array.isArray(actual) && wanted.every((one) => actual.some((value) => compared(one, value, folded)));

const passes = (name, actual, wanted) => {
  if (USES.$eq && name == "$eq") return actual === wanted;
  if (USES.$ne && name == "$ne") return actual !== wanted;
  if (USES.$lt && name == "$lt") return actual < wanted;
  if (USES.$lte && name == "$lte") return actual <= wanted;
  if (USES.$gt && name == "$gt") return actual > wanted;
  if (USES.$gte && name == "$gte") return actual >= wanted;
  if (USES.$exists && name == "$exists") return (actual != null) == wanted;
  if (USES.$in && name == "$in") return isIn(actual, wanted);
  if (USES.$nin && name == "$nin") return !isIn(actual, wanted);
  if (USES.$ini && name == "$ini") return isInFolded(actual, wanted);
  if (USES.$nini && name == "$nini") return !isInFolded(actual, wanted);
  if (USES.$regex && name == "$regex") return search(wanted, "", actual);
  if (USES.$regexi && name == "$regexi") return search(wanted, "i", actual);
  if (USES.$notRegex && name == "$notRegex") return search(wanted, "", actual) === false;
  if (USES.$notRegexi && name == "$notRegexi") return search(wanted, "i", actual) === false;
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

/** One attribute against a plain value or an object of operators. */
const compared = (wanted, actual, folded) => {
  if (USES.text && typeof wanted == "string")
    return folded ? lower(actual + "") == lower(wanted) : actual + "" === wanted;
  if (USES.number && typeof wanted == "number") return actual * 1 === wanted;
  if (USES.boolean && typeof wanted == "boolean") return actual !== null && !!actual === wanted;
  if (USES.null && wanted === null) return actual === null;
  if (USES.whole && (Array.isArray(wanted) || !isOperators(wanted)))
    return JSON.stringify(actual) === JSON.stringify(wanted);
  return Object.keys(wanted).every((name) => passes(name, actual, wanted[name]));
};

/** Whether `attributes` satisfy `condition`. An attribute that is not there is null. */
export const satisfied = (condition, attributes) =>
  Object.keys(condition).every((key) => {
    const wanted = condition[key];
    const some = () => !wanted[0] || wanted.some((one) => satisfied(one, attributes));
    if (USES.$or && key == "$or") return some();
    if (USES.$nor && key == "$nor") return !some();
    if (USES.$and && key == "$and") return wanted.every((one) => satisfied(one, attributes));
    if (USES.$not && key == "$not") return !satisfied(wanted, attributes);
    return compared(wanted, at(attributes, key));
  });
