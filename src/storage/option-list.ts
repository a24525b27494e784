/** Lists of options as fstab(5) and crypttab(5) have them in their fourth field: `a,b=value,c`. */

/**
 * The options of a list, each as it is written. A comma within double quotes, or behind a backslash, belongs to
 * its option, and empty options count for nothing (libmount's optstr.c, systemd's extract_first_word()).
 */
export function splitOptions(list: string): string[] {
  const options: string[] = [];
  let option = "";
  let quoted = false;
  for (let at = 0; at < list.length; at++) {
    const letter = list[at] ?? "";
    const escaped = at > 0 && list[at - 1] === "\\";
    if (letter === '"' && !escaped) quoted = !quoted;
    if (letter === "," && !quoted && !escaped) {
      options.push(option);
      option = "";
    } else option += letter;
  }
  return [...options, option].filter((one) => one !== "");
}

/** True when the list has this option, with a value or without. */
export function hasOption(list: string, name: string): boolean {
  return splitOptions(list).some((option) => nameOf(option) === name);
}

/** The value of the option, that of the last when there are many; undefined when none has a value. */
export function optionValue(list: string, name: string): string | undefined {
  const option = splitOptions(list).findLast((one) => one.startsWith(`${name}=`));
  return option?.slice(name.length + 1);
}

function nameOf(option: string): string {
  const equals = option.indexOf("=");
  return equals < 0 ? option : option.slice(0, equals);
}
