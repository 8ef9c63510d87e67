package flextune;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Scanner;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.javatuples.Pair;
import org.javatuples.Triplet;

/** Uses what answers to benchmark problems use, so that the shared archive holds these classes. */
public final class Sample {
    public static void main(String[] arguments) {
        List<Integer> numbers = new ArrayList<>(Arrays.asList(3, 1, 2));
        Collections.sort(numbers, (left, right) -> right - left);
        Map<String, Long> counts = new HashMap<>();
        for (String word : "a b a".split(" ")) {
            counts.merge(word, 1L, Long::sum);
        }
        String joined = counts.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
        int total = IntStream.rangeClosed(1, 10).filter(n -> n % 2 == 0).map(n -> n * n).sum();
        List<Object> others = List.of(
                new TreeMap<>(counts), new LinkedHashMap<>(counts), new HashSet<>(numbers), new PriorityQueue<>(numbers),
                new ArrayDeque<>(numbers), Optional.of(total), Pair.with(1, "x"), Triplet.with(1, 2L, 3.0f),
                new StringBuilder(joined).reverse(), new Scanner("1 2").nextInt(),
                Pattern.compile("[a-z]+").matcher(joined).find(), Math.round(2.5f), Objects.hash(1, 2),
                numbers.stream().mapToInt(Integer::intValue).boxed().collect(Collectors.toList()),
                joined.chars().mapToObj(c -> String.valueOf((char) c)).collect(Collectors.groupingBy(c -> c)));
        System.out.println(String.format("%s %d %.2f %s", joined, total, 1.5, others));
        assert Pair.with(1, "x").equals(Pair.with(1, "x"));
    }
}
