"""Right answers to some of MultiPL-E's problems in Go: problem name to what follows its prompt."""

from __future__ import annotations

ANSWERS = {
    "HumanEval_3_below_zero": """
    balance := 0
    for _, operation := range operations {
        balance += operation
        if balance < 0 {
            return true
        }
    }
    return false
}
""",
    "HumanEval_9_rolling_max": """
    result := []int{}
    for i, number := range numbers {
        if i > 0 && result[i-1] > number {
            number = result[i-1]
        }
        result = append(result, number)
    }
    return result
}
""",
    "HumanEval_13_greatest_common_divisor": """
    for b != 0 {
        a, b = b, a%b
    }
    return a
}
""",
    "HumanEval_23_strlen": """
    return len(myString)
}
""",
    "HumanEval_24_largest_divisor": """
    for i := n - 1; i > 0; i-- {
        if n%i == 0 {
            return i
        }
    }
    return 1
}
""",
    "HumanEval_31_is_prime": """
    for i := 2; i*i <= n; i++ {
        if n%i == 0 {
            return false
        }
    }
    return n > 1
}
""",
    "HumanEval_35_max_element": """
    largest := l[0]
    for _, x := range l {
        if x > largest {
            largest = x
        }
    }
    return largest
}
""",
    "HumanEval_42_incr_list": """
    result := []int{}
    for _, x := range l {
        result = append(result, x+1)
    }
    return result
}
""",
    "HumanEval_52_below_threshold": """
    for _, x := range l {
        if x >= t {
            return false
        }
    }
    return true
}
""",
    "HumanEval_53_add": """
    return x + y
}
""",
    "HumanEval_55_fib": """
    if n < 2 {
        return n
    }
    return fib(n-1) + fib(n-2)
}
""",
    "HumanEval_60_sum_to_n": """
    return n * (n + 1) / 2
}
""",
}
